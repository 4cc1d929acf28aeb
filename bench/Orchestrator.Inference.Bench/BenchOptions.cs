using System.Globalization;
using Orchestrator.Inference.Benchmarks;
using Orchestrator.Testing.Models;

namespace Orchestrator.Inference.Bench;

/// <summary>What the command line asks for.</summary>
internal sealed record BenchOptions
{
    public required string Model { get; init; }

    public int Threads { get; init; } = Native.Hardware.Detect().RecommendedThreads;

    public int Repeats { get; init; } = 3;

    /// <summary>How often a cell of the sweep is measured at most, until its probes do not drift.</summary>
    public int Attempts { get; init; } = 3;

    public double Minutes { get; init; } = 10;

    public int[] Agents { get; init; } = [8];

    public int[] Preambles { get; init; } = [1024, 4096];

    public int[] Rounds { get; init; } = [2];

    public string[] Skip { get; init; } = [];

    /// <summary>The path of llama-server, which is a contender then.</summary>
    public string? LlamaServer { get; init; }

    public BenchmarkModel BenchmarkModel => new(Model, Threads, GpuLayers: -1, TimeProvider.System);

    public bool Skips(string contender) => Skip.Contains(contender, StringComparer.Ordinal);

    /// <summary>Reads <c>--name value</c> pairs.</summary>
    public static BenchOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new BenchOptions { Model = "" };
        for (var i = 0; i < args.Length; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : throw new ArgumentException($"{args[i]} needs a value.");
            options = args[i] switch
            {
                "--model" => options with { Model = ModelOf(value) },
                "--threads" => options with { Threads = Number(value) },
                "--repeats" => options with { Repeats = Number(value) },
                "--attempts" => options with { Attempts = Number(value) },
                "--llama-server" => options with { LlamaServer = File.Exists(value) ? value : throw new ArgumentException($"There is no {value}.") },
                "--minutes" => options with { Minutes = double.Parse(value, CultureInfo.InvariantCulture) },
                "--agents" => options with { Agents = Numbers(value) },
                "--preambles" => options with { Preambles = Numbers(value) },
                "--rounds" => options with { Rounds = Numbers(value) },
                "--skip" => options with { Skip = value.Split(',') },
                _ => throw new ArgumentException($"{args[i]} is unknown."),
            };
        }

        return options.Model.Length > 0 ? options : throw new ArgumentException("--model GGUF is missing.");
    }

    /// <summary>The path of a model; some are made where their names are given.</summary>
    public static string ModelOf(string value) => value switch
    {
        "half-billion" => Made(value, () => TinyModelOptions.HalfBillion),
        "half-billion-o200k" => Made(value, () => TinyModelOptions.HalfBillion with { Published = PublishedVocabulary.Read() }),
        "tiny-o200k" => Made(value, () => new TinyModelOptions
        {
            Vocabulary = TinyModelOptions.HalfBillion.Vocabulary,
            Published = PublishedVocabulary.Read(),
            TiedEmbeddings = true,
        }),
        _ => value,
    };

    private static string Made(string name, Func<TinyModelOptions> options)
    {
        var path = Path.Combine(Path.GetTempPath(), $"orchestrator-{name}.gguf");
        return File.Exists(path) ? path : TinyModel.Create(path, options());
    }

    private static int[] Numbers(string value) => [.. value.Split(',').Select(Number)];

    private static int Number(string value) => int.Parse(value, CultureInfo.InvariantCulture);
}
