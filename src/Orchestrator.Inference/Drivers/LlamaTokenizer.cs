using System.Text;
using Orchestrator.Inference.Native;

namespace Orchestrator.Inference.Drivers;

/// <summary>
/// A model's tokenizer. What each token is, and its bytes, are read once: the library's own lookup ends the process on
/// a bad id.
/// </summary>
internal sealed unsafe class LlamaTokenizer : ITokenizer
{
    private readonly ModelHandle _model;
    private readonly nint _vocabulary;
    private readonly byte[] _bytes;
    private readonly int[] _ends;
    private readonly bool[] _special;
    private readonly bool[] _ending;
    private readonly Dictionary<int, string> _specialTexts = [];

    public LlamaTokenizer(ModelHandle model)
    {
        _model = model;
        _vocabulary = LlamaApi.ModelVocabulary(model);
        Size = LlamaApi.VocabularySize(_vocabulary);
        _ends = new int[Size];
        _special = new bool[Size];
        _ending = new bool[Size];

        var bytes = new List<byte>(Size * 6);
        var buffer = new byte[256];
        for (var token = 0; token < Size; token++)
        {
            var attributes = LlamaApi.TokenAttributes(_vocabulary, token);
            _special[token] = (attributes & (TokenAttributes.Control | TokenAttributes.Unknown | TokenAttributes.Unused)) != 0;
            _ending[token] = LlamaApi.IsEndOfGeneration(_vocabulary, token);
            if (!_special[token])
            {
                bytes.AddRange(Piece(token, special: false, ref buffer));
            }

            _ends[token] = bytes.Count;
            if ((attributes & (TokenAttributes.Control | TokenAttributes.UserDefined)) != 0
                && Piece(token, special: true, ref buffer) is { Length: > 0 } text)
            {
                _specialTexts[token] = Encoding.UTF8.GetString(text);
            }
        }

        _bytes = [.. bytes];
        SpecialTexts = [.. _specialTexts.Values];
        BeginOfText = LlamaApi.AddsBeginOfSentence(_vocabulary) && LlamaApi.BeginOfSentence(_vocabulary) is >= 0 and var begin
            ? begin
            : null;
        EndOfText = new[] { LlamaApi.EndOfTurn(_vocabulary), LlamaApi.EndOfSentence(_vocabulary), Array.IndexOf(_ending, true) }
            .FirstOrDefault(token => token >= 0 && _ending[token], -1);
    }

    public int Size { get; }

    public int? BeginOfText { get; }

    public int EndOfText { get; }

    public IReadOnlyList<string> SpecialTexts { get; }

    public ReadOnlySpan<byte> GetBytes(int token) =>
        _bytes.AsSpan((token == 0 ? 0 : _ends[token - 1]).._ends[token]);

    public bool IsSpecial(int token) => _special[token];

    public bool IsEndOfGeneration(int token) => _ending[token];

    public string? GetSpecialText(int token) => _specialTexts.GetValueOrDefault(token);

    public int[] Tokenize(string text, bool parseSpecial)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length == 0)
        {
            return [];
        }

        var utf8 = Encoding.UTF8.GetBytes(text);
        var added = false;
        try
        {
            _model.DangerousAddRef(ref added);

            // One token a byte, and some that a tokenizer puts in front; more than that is asked for again.
            var tokens = new int[utf8.Length + 16];
            var count = Tokenize(utf8, tokens, parseSpecial);
            if (count < 0 && count != int.MinValue)
            {
                tokens = new int[-count];
                count = Tokenize(utf8, tokens, parseSpecial);
            }

            return count >= 0
                ? tokens[..count]
                : throw new ArgumentException($"A text of {utf8.Length} bytes cannot be split into tokens.", nameof(text));
        }
        finally
        {
            if (added)
            {
                _model.DangerousRelease();
            }
        }
    }

    private int Tokenize(byte[] utf8, int[] tokens, bool parseSpecial)
    {
        fixed (byte* text = utf8)
        fixed (int* destination = tokens)
        {
            return LlamaApi.Tokenize(_vocabulary, text, utf8.Length, destination, tokens.Length, addSpecial: false, parseSpecial);
        }
    }

    private ReadOnlySpan<byte> Piece(int token, bool special, ref byte[] buffer)
    {
        while (true)
        {
            int length;
            fixed (byte* destination = buffer)
            {
                length = LlamaApi.TokenToPiece(_vocabulary, token, destination, buffer.Length, 0, special);
            }

            if (length >= 0)
            {
                return buffer.AsSpan(0, length);
            }

            buffer = new byte[-length];
        }
    }
}
