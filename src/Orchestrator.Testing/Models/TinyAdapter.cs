using Orchestrator.Inference.Gguf;

namespace Orchestrator.Testing.Models;

/// <summary>What a generated adapter changes.</summary>
public sealed record TinyAdapterOptions
{
    /// <summary>The adapter's name in its metadata.</summary>
    public string Name { get; init; } = "tiny-adapter";

    /// <summary>The name of the model that it was made for, as it says itself; null to say nothing.</summary>
    public string? Base { get; init; }

    /// <summary>Same options and seed, same bytes.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Rank of the update.</summary>
    public int Rank { get; init; } = 4;

    /// <summary>The update is scaled by this over the rank.</summary>
    public float Alpha { get; init; } = 8;

    /// <summary>Names of the matrices to adapt, without layer and <c>.weight</c>.</summary>
    public IReadOnlyList<string> Targets { get; init; } = ["attn_q", "attn_v", "ffn_down"];

    /// <summary>The token ids that activate the adapter (aLoRA), or null for one that is always on.</summary>
    public IReadOnlyList<uint>? InvocationTokens { get; init; }
}

/// <summary>Generates a random LoRA adapter for a model, strong enough to change what the model writes.</summary>
public static class TinyAdapter
{
    /// <summary>Writes an adapter.</summary>
    /// <param name="path">Where to; a file that exists is replaced.</param>
    /// <param name="basePath">The model that it is for.</param>
    /// <param name="options">What it changes, or null for the default.</param>
    /// <returns>The path.</returns>
    /// <exception cref="ArgumentException">The model has none of the targets.</exception>
    public static string Create(string path, string basePath, TinyAdapterOptions? options = null)
    {
        options ??= new TinyAdapterOptions();
        var model = GgufReader.ReadModel(basePath);
        var metadata = new GgufMetadata
        {
            ["general.architecture"] = model.Architecture,
            ["general.type"] = "adapter",
            ["general.name"] = options.Name,
            ["adapter.type"] = "lora",
            ["adapter.lora.alpha"] = options.Alpha,
        };
        if (options.Base is { } name)
        {
            metadata["general.base_model.0.name"] = name;
        }

        if (options.InvocationTokens is { } tokens)
        {
            metadata["adapter.alora.invocation_tokens"] = tokens.ToArray();
        }

        var writer = new GgufWriter(metadata);
        var random = new RandomWeights((ulong)options.Seed);
        var targets = model.Tensors.Where(tensor => options.Targets.Any(target => tensor.Name.EndsWith($".{target}.weight", StringComparison.Ordinal))).ToList();
        if (targets.Count == 0)
        {
            throw new ArgumentException($"{basePath} has none of the matrices {string.Join(", ", options.Targets)}.", nameof(options));
        }

        foreach (var target in targets)
        {
            var (columns, rows) = (target.Dimensions[0], target.Dimensions[1]);
            writer.Add($"{target.Name}.lora_a", [columns, options.Rank], random.Normal(columns * options.Rank, 1 / Math.Sqrt(columns)));
            writer.Add($"{target.Name}.lora_b", [options.Rank, rows], random.Normal(options.Rank * rows, 1 / Math.Sqrt(options.Rank)));
        }

        writer.Write(path);
        return path;
    }
}
