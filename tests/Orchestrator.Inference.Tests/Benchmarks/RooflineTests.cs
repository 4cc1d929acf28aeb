using Orchestrator.Inference.Benchmarks;
using Orchestrator.Inference.Gguf;
using Orchestrator.Testing.Models;

namespace Orchestrator.Inference.Tests.Benchmarks;

public class RooflineTests
{
    private static readonly MachineReading ReadBound = new(1, 1e9);

    [Fact]
    public void A_step_reads_the_weights_once_however_many_tokens_it_has()
    {
        var file = GgufReader.ReadModel(TinyModel.SharedPath);
        var read = file.Tensors.Where(tensor => tensor.Name != "token_embd.weight").Sum(tensor => tensor.Bytes);
        var roof = Roofline.Of(file);
        Assert.Equal(1e9 / read, roof.TokensPerSecond(1, ReadBound), 3);
        Assert.Equal(8e9 / read, roof.TokensPerSecond(8, ReadBound), 3);
    }

    [Fact]
    public void Each_token_takes_two_operations_for_each_weight()
    {
        var file = GgufReader.ReadModel(TinyModel.SharedPath);
        var weights = file.Tensors.Where(tensor => tensor.Name != "token_embd.weight").Sum(tensor => tensor.Elements);
        Assert.Equal(1e9 / (2.0 * weights), Roofline.Of(file).TokensPerSecond(512, new MachineReading(1e9, 1)), 3);
    }
}
