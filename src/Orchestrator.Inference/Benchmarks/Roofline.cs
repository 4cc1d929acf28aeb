using Orchestrator.Inference.Gguf;

namespace Orchestrator.Inference.Benchmarks;

/// <summary>
/// The most tokens a second that memory and arithmetic allow: a step reads the weights once, and each token takes two
/// operations for each weight (Williams, Waterman and Patterson, "Roofline", 2009). Attention is left out, so at long
/// contexts the limit is out of reach; kernels for 8-bit integers can pass the one of arithmetic, which is of 32-bit floats.
/// </summary>
internal sealed class Roofline
{
    private readonly double _bytes;
    private readonly double _expertBytes;
    private readonly double _operations;
    private readonly double _expertShare;

    private Roofline(GgufModel model)
    {
        var experts = model.Metadata.Integer($"{model.Architecture}.expert_count") ?? 0;
        var used = model.Metadata.Integer($"{model.Architecture}.expert_used_count") ?? experts;
        _expertShare = experts == 0 ? 1 : (double)used / experts;

        // An embedding is one row that is looked up, unless it is the output layer too.
        var tied = ModelCard.Of(model).TiedEmbeddings;
        var tensors = model.Tensors.Where(tensor => tied || tensor.Name != "token_embd.weight").ToLookup(tensor => tensor.Name.Contains("_exps.", StringComparison.Ordinal));
        _bytes = tensors[false].Sum(tensor => tensor.Bytes);
        _expertBytes = tensors[true].Sum(tensor => tensor.Bytes);
        _operations = 2 * (tensors[false].Sum(tensor => tensor.Elements) + (_expertShare * tensors[true].Sum(tensor => tensor.Elements)));
    }

    /// <summary>Reads a model's shape.</summary>
    /// <param name="model">Its header.</param>
    public static Roofline Of(GgufModel model) => new(model);

    /// <summary>The limit in tokens a second.</summary>
    /// <param name="tokens">Tokens in a step.</param>
    /// <param name="machine">What the machine gives.</param>
    public double TokensPerSecond(int tokens, MachineReading machine)
    {
        var read = _bytes + (_expertBytes * Math.Min(1, _expertShare * tokens));
        return Math.Min(tokens * machine.ReadGigabytes * 1e9 / read, machine.MultiplyGigaflops * 1e9 / _operations);
    }
}
