using System.Text;
using Orchestrator.Core;
using Orchestrator.Inference.Gguf;

namespace Orchestrator.Inference.Constraints;

/// <summary>The vocabulary of a GGUF file, read without loading the model.</summary>
public sealed class GgufVocabulary : ITokenVocabulary
{
    private const int Unknown = 2;
    private const int Control = 3;
    private const int UserDefined = 4;
    private const int Unused = 5;
    private const int Byte = 6;

    private static readonly string[] EndNames =
        ["<|im_end|>", "<|endoftext|>", "</s>", "<|eot_id|>", "<|end_of_text|>", "<|eom_id|>", "<end_of_turn>", "<eos>", "<|end|>", "<|return|>", "<|call|>"];

    private readonly byte[][] _bytes;
    private readonly bool[] _special;
    private readonly bool[] _ends;
    private readonly Dictionary<int, string> _specialTexts = [];

    /// <summary>Reads the vocabulary.</summary>
    /// <param name="metadata">The file's metadata, with <c>tokenizer.ggml.tokens</c>.</param>
    /// <exception cref="OrchestratorException">The file has no vocabulary.</exception>
    public GgufVocabulary(GgufMetadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        var tokens = metadata.Strings("tokenizer.ggml.tokens")
            ?? throw new OrchestratorException(ErrorKind.Model, "The model file has no vocabulary (tokenizer.ggml.tokens).");
        var isByteLevel = metadata.Text("tokenizer.ggml.model") == "gpt2";
        var types = metadata.TryGet("tokenizer.ggml.token_type", out var value) ? value.Content as Array : null;
        var ends = new[] { "eos", "eot", "eom" }.Select(name => metadata.Integer($"tokenizer.ggml.{name}_token_id")).ToHashSet();
        Size = tokens.Count;
        _bytes = new byte[Size][];
        _special = new bool[Size];
        _ends = new bool[Size];
        for (var i = 0; i < Size; i++)
        {
            var text = tokens[i];
            var type = types is null ? 1 : Convert.ToInt32(types.GetValue(i), System.Globalization.CultureInfo.InvariantCulture);
            _special[i] = type is Unknown or Control or Unused;
            if (type is Control or UserDefined)
            {
                _specialTexts[i] = text;
            }

            _ends[i] = ends.Contains(i) || (type is Control && Array.IndexOf(EndNames, text) >= 0);
            _bytes[i] = type == Byte && text is ['<', '0', 'x', _, _, '>'] ? [Convert.ToByte(text[3..5], 16)]
                : isByteLevel && type == 1 ? FromByteLevel(text)
                : Encoding.UTF8.GetBytes(isByteLevel ? text : text.Replace('\u2581', ' '));
        }
    }

    /// <inheritdoc/>
    public int Size { get; }

    /// <inheritdoc/>
    public ReadOnlySpan<byte> GetBytes(int token) => _bytes[token];

    /// <inheritdoc/>
    public bool IsSpecial(int token) => _special[token];

    /// <inheritdoc/>
    public bool IsEndOfGeneration(int token) => _ends[token];

    /// <inheritdoc/>
    public string? GetSpecialText(int token) => _specialTexts.GetValueOrDefault(token);

    /// <summary>GPT-2's byte-level tokens stand a printable character for each byte.</summary>
    private static byte[] FromByteLevel(string text)
    {
        var bytes = new List<byte>(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (ByteOf(rune.Value) is { } value)
            {
                bytes.Add(value);
            }
            else
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(rune.ToString()));
            }
        }

        return [.. bytes];
    }

    private static byte? ByteOf(int character)
    {
        if (character is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF))
        {
            return (byte)character;
        }

        // The others, in order, are shifted to 256 and on: 0–32, 127–160, 173.
        return character switch
        {
            >= 256 and < 289 => (byte)(character - 256),
            >= 289 and < 323 => (byte)(character - 289 + 127),
            323 => 173,
            _ => null,
        };
    }
}
