using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Orchestrator.Inference.Gguf;

/// <summary>Whether a model's tokenizer can be built, and never meets a byte that it has no token for.</summary>
internal static class VocabularyRules
{
    private const string Prefix = "tokenizer.ggml.";
    private const string TokensKey = Prefix + "tokens";
    private const int ByteToken = 6;

    internal static void Check(GgufMetadata metadata, GgufFindings findings)
    {
        var kind = findings.Text(metadata, Prefix + "model");
        if (kind is null)
        {
            findings.Require(metadata.Contains(Prefix + "model"), Prefix + "model", "the key is missing, so the model has no tokenizer");
            return;
        }

        findings.Text(metadata, Prefix + "pre");
        findings.Text(metadata, "tokenizer.chat_template");
        if (kind is "none" or "no_vocab")
        {
            findings.Add(Prefix + "model", $"the model has no vocabulary ('{kind}'), so text can't be given to it");
            return;
        }

        if (metadata.Strings(TokensKey) is not { Count: > 0 } tokens)
        {
            findings.Add(TokensKey, metadata.TryGet(TokensKey, out var value) ? $"the value is {value}, but must be a list of tokens" : "the key is missing");
            return;
        }

        var index = tokens.Index();
        CheckUnique(tokens, index, findings);
        CheckTypes(metadata, tokens, findings);
        CheckMerges(metadata, kind, findings);
        CheckBytes(kind, index, findings);
        CheckSpecials(metadata, tokens.Count, findings);
        CheckCharacterMap(metadata, findings);
    }

    private static void CheckUnique(GgufStrings tokens, Func<ReadOnlySpan<byte>, int> index, GgufFindings findings)
    {
        for (var i = 0; i < tokens.Count; i++)
        {
            // The loader stops at a zero byte, and gives empty tokens names of their own.
            var token = tokens.Utf8(i);
            var zero = token.IndexOf((byte)0);
            if (zero >= 0)
            {
                findings.Add($"{TokensKey}[{i}]", "the token contains a zero byte");
                return;
            }

            if (token.Length > 0 && index(token) is var first && first != i)
            {
                findings.Add($"{TokensKey}[{i}]", $"'{Encoding.UTF8.GetString(token)}' is also token {first}");
                return;
            }
        }
    }

    private static void CheckTypes(GgufMetadata metadata, GgufStrings tokens, GgufFindings findings)
    {
        const string typesKey = Prefix + "token_type";
        if (metadata.TryGet(typesKey, out var types))
        {
            if (types.ElementType != GgufValueType.Int32 || types.Content is not int[] kinds || kinds.Length < tokens.Count)
            {
                findings.Add(typesKey, $"the value is {types}, but must be arr[i32] with one for each of {tokens.Count} tokens");
            }
            else
            {
                for (var i = 0; i < tokens.Count; i++)
                {
                    if (kinds[i] == ByteToken && !IsByteToken(tokens.Utf8(i)))
                    {
                        findings.Add($"{TokensKey}[{i}]", $"'{tokens[i]}' is marked as a byte, but isn't written like <0x0A>");
                        break;
                    }
                }
            }
        }

        const string scoresKey = Prefix + "scores";
        if (metadata.TryGet(scoresKey, out var scores))
        {
            findings.Require(
                scores.ElementType is GgufValueType.Float32 or GgufValueType.Int32 && scores.Count >= tokens.Count,
                scoresKey,
                $"the value is {scores}, but must be arr[f32] with one for each of {tokens.Count} tokens");
        }
    }

    private static void CheckMerges(GgufMetadata metadata, string kind, GgufFindings findings)
    {
        const string key = Prefix + "merges";
        if (metadata.TryGet(key, out var merges))
        {
            findings.Require(merges.Content is GgufStrings, key, $"the value is of type {merges.TypeName}, but must be arr[str]");
        }
        else
        {
            findings.Require(kind is not ("gpt2" or "gemma4") || metadata.Text(Prefix + "pre") == "kimi-k2", key, "the key is missing, and byte-pair encoding needs it");
        }
    }

    /// <summary>
    /// SentencePiece falls back to byte tokens and ends the process where one is missing. Byte-pair encoding
    /// drops such bytes, which published models do, so there it is no fault.
    /// </summary>
    private static void CheckBytes(string kind, Func<ReadOnlySpan<byte>, int> index, GgufFindings findings)
    {
        if (kind is not ("llama" or "plamo2"))
        {
            return;
        }

        Span<byte> single = stackalloc byte[1];
        for (var b = 0; b < 256; b++)
        {
            single[0] = (byte)b;
            if (index(Encoding.ASCII.GetBytes($"<0x{b:X2}>")) < 0 && (kind != "llama" || index(single) < 0))
            {
                findings.Add(TokensKey, $"the byte token <0x{b:X2}> is missing: text that contains this byte can't be encoded");
                return;
            }
        }
    }

    private static void CheckSpecials(GgufMetadata metadata, int count, GgufFindings findings)
    {
        foreach (var (key, _) in metadata)
        {
            if (key.StartsWith(Prefix, StringComparison.Ordinal) && key.EndsWith("_token_id", StringComparison.Ordinal))
            {
                var id = findings.UInt32(metadata, key);
                findings.Require(id is null || id < count, key, $"the id {id} is out of range: there are {count} tokens");
            }
        }

        foreach (var which in new[] { "bos", "eos", "sep" })
        {
            var add = findings.Bool(metadata, $"{Prefix}add_{which}_token");
            var id = which == "sep" ? "seperator_token_id" : $"{which}_token_id"; // The format's own spelling.
            findings.Require(
                add != true || which == "sep" || metadata.Contains(Prefix + id),
                $"{Prefix}add_{which}_token",
                $"the token is to be added to every text, but {Prefix}{id} is missing");
        }

        if (metadata.TryGet(Prefix + "suppress_tokens", out var suppressed))
        {
            findings.Require(suppressed.ElementType == GgufValueType.Int32, Prefix + "suppress_tokens", $"the value is of type {suppressed.TypeName}, but must be arr[i32]");
        }
    }

    private static void CheckCharacterMap(GgufMetadata metadata, GgufFindings findings)
    {
        const string key = Prefix + "precompiled_charsmap";
        if (!metadata.TryGet(key, out var value))
        {
            return;
        }

        var map = value.Content switch
        {
            byte[] bytes => bytes,
            sbyte[] bytes => Array.ConvertAll(bytes, b => (byte)b),
            _ => null,
        };
        findings.Require(
            map is { Length: > 4 } && BinaryPrimitives.ReadUInt32LittleEndian(map) + 4L < map.Length, key, $"the value is {value}, which is not a character map");
    }

    private static bool IsByteToken(ReadOnlySpan<byte> token) =>
        token.Length == 6 && token.StartsWith("<0x"u8) && token[5] == '>' &&
        byte.TryParse(token.Slice(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _);
}
