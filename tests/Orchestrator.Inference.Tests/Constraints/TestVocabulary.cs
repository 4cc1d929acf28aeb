using System.Text;
using Orchestrator.Inference.Constraints;

namespace Orchestrator.Inference.Tests.Constraints;

/// <summary>All bytes, some longer tokens as they occur in JSON, and an end.</summary>
internal sealed class TestVocabulary : ITokenVocabulary
{
    private static readonly string[] Longer =
    [
        "{\"", "\":", "\": ", "\", \"", "\",", "\"}", "\"]", "{}", "[]", "}}", "]]", ", ", ",\"", "true", "false", "null", "  ", "\n  ", "ab", "abc", "hello", "name", "na",
        "er", "in", "the", "00", "12", "123", "1.", "-1", "0.", "e+", "\\u00", "\\n", "é", "日本", "\U0001F600", "\"a", "\"name\":", "a\"", "},{", "],[", "1,", "1}", "a\":",
    ];

    private readonly byte[][] _bytes = [.. Enumerable.Range(0, 256).Select(value => new[] { (byte)value }), .. Longer.Select(Encoding.UTF8.GetBytes), Encoding.UTF8.GetBytes("<end>"), []];

    public int Size => _bytes.Length;

    public int End => Size - 2;

    public ReadOnlySpan<byte> GetBytes(int token) => _bytes[token];

    public bool IsSpecial(int token) => token >= End;

    public bool IsEndOfGeneration(int token) => token == End;
}
