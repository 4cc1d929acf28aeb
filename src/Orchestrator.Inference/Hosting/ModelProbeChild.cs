using Orchestrator.Core;
using Orchestrator.Inference.Drivers;

namespace Orchestrator.Inference.Hosting;

/// <summary>
/// What the child process of a <see cref="ModelProbe"/> does. A program that hosts models itself can be its own child:
/// it sets <see cref="InferenceOptions.ProbeCommand"/> to a command line of its own that calls this with the path that
/// is appended.
/// </summary>
public static class ModelProbeChild
{
    private const int Context = 256;
    private const int Batch = 8;

    /// <summary>Loads a model on the CPU in a small context, computes one token, and tells how it went.</summary>
    /// <param name="path">The GGUF file.</param>
    /// <param name="output">Standard output; gets one JSON line now and then, and one at the end.</param>
    /// <param name="cancellationToken">Stops the loading.</param>
    /// <returns>The exit code: 0 where the model works, else 1. A file that ends the process returns nothing.</returns>
    public static int Run(string path, TextWriter output, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(output);
        try
        {
            var options = new LlamaDriverOptions
            {
                ModelPath = path,
                ContextSize = Context,
                BatchSize = Batch,
                MaxSequences = 1,
                GpuLayers = 0,
            };
            using var driver = LlamaDriverLoader.Open(options, null, new Shares(output), cancellationToken);
            var batch = new DecodeBatch();
            var index = batch.Add(Math.Max(0, driver.Tokenizer.BeginOfText ?? driver.Tokenizer.EndOfText), 0, output: true, 0);
            if (driver.Decode(batch) != DecodeStatus.Done || HasNaN(driver.GetLogits(index)))
            {
                throw new OrchestratorException(
                    ErrorKind.Model, $"{path} loads, but computes no usable numbers.", "The weights are damaged: pull or convert the file again.");
            }

            Write(output, new ProbeLine(Loaded: 1, Passed: true));
            return 0;
        }
        catch (OrchestratorException e)
        {
            Write(output, new ProbeLine(Error: e.Message, Remedy: e.Remedy));
            return 1;
        }
    }

    private static bool HasNaN(ReadOnlySpan<float> values)
    {
        foreach (var value in values)
        {
            if (float.IsNaN(value))
            {
                return true;
            }
        }

        return false;
    }

    private static void Write(TextWriter output, ProbeLine line)
    {
        output.WriteLine(line.ToString());
        output.Flush();
    }

    /// <summary>Every hundredth is told: the parent takes a long silence for a hang.</summary>
    private sealed class Shares(TextWriter output) : IProgress<float>
    {
        private int _last = -1;

        public void Report(float value)
        {
            var hundredth = (int)(100 * value);
            if (hundredth > _last)
            {
                _last = hundredth;
                Write(output, new ProbeLine(Loaded: value));
            }
        }
    }
}
