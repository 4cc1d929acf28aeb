namespace Orchestrator.Inference.Bench;

/// <summary>The tokens of a published byte-pair encoding, o200k, in the order of their merges.</summary>
internal static class PublishedVocabulary
{
    private const string Folder = "bench/Orchestrator.Inference.Bench/vocabulary";

    /// <summary>Reads the tokens: a line each, base64 and rank.</summary>
    /// <exception cref="ArgumentException">They are not restored.</exception>
    public static IReadOnlyList<byte[]> Read()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "o200k_base.tiktoken");
        return File.Exists(path)
            ? [.. File.ReadLines(path).Select(line => Convert.FromBase64String(line[..line.IndexOf(' ', StringComparison.Ordinal)]))]
            : throw new ArgumentException($"The published vocabulary is not restored: run `npm ci` in {Folder}, and build again.");
    }
}
