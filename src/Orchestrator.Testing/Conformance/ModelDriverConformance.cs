using System.Text;
using Orchestrator.Inference.Drivers;

namespace Orchestrator.Testing.Conformance;

/// <summary>
/// What every <see cref="IModelDriver"/> must do. Run each of <see cref="Cases"/>, or of <see cref="WholeCases"/> where
/// the model's cache can't be cut, on a new driver with at least 256 cells, batches of 16 or more, and 8 sequences or more:
/// <code>
/// [Theory]
/// [MemberData(nameof(Names))]
/// public void Conforms(string name) { using var driver = Open(); ModelDriverConformance.Cases[name](driver); }
/// </code>
/// </summary>
public static partial class ModelDriverConformance
{
    private const string Text = "The quick brown fox jumps over the lazy dog. ";

    /// <summary>
    /// How far logits of the same tokens may differ between two ways of computing them, in the model's own units. The
    /// way a batch is cut changes the order of additions.
    /// </summary>
    private const float Tolerance = 0.6f;

    /// <summary>The cases by name; each throws <see cref="ConformanceException"/> where the driver falls short.</summary>
    public static IReadOnlyDictionary<string, Action<IModelDriver>> Cases { get; } =
        new Dictionary<string, Action<IModelDriver>>(StringComparer.Ordinal)
        {
            ["tokens join to the text"] = TokensJoinToTheText,
            ["special texts are text unless asked for"] = SpecialTextsAreTextUnlessAskedFor,
            ["the same batch gives the same logits"] = SameBatchSameLogits,
            ["prefill in parts is prefill"] = PrefillInParts,
            ["sequences do not see each other"] = SequencesDoNotSeeEachOther,
            ["a copied sequence goes on like its source"] = CopiedSequenceGoesOn,
            ["a token may join several sequences"] = TokenMayJoinSeveralSequences,
            ["a cut sequence goes on from the cut"] = CutSequenceGoesOn,
            ["a long sequence is cut after others were computed"] = LongSequenceIsCut,
            ["a loaded sequence is cut"] = LoadedSequenceIsCut,
            ["a gap is filled by sharing"] = GapIsFilledBySharing,
            ["cells are counted"] = CellsAreCounted,
            ["a saved sequence goes on like before"] = SavedSequenceGoesOn,
            ["a damaged state is refused"] = DamagedStateIsRefused,
            ["a full cache says so and stays usable"] = FullCacheStaysUsable,
            ["outputs not asked for are refused"] = OutputsNotAskedFor,
            ["bad batches are refused"] = BadBatches,
            ["bad sequences are refused"] = BadSequences,
            ["bad adapters and threads are refused"] = BadAdaptersAndThreads,
            ["an abort without a decode does nothing"] = AbortWithoutDecode,
            ["a disposed driver is refused"] = DisposedDriver,
        };

    private static void TokensJoinToTheText(IModelDriver driver)
    {
        const string Mixed = "Hello, 世界! Ünïcödé \t\n 123 <|im_start|> 🙂";
        var bytes = driver.Tokenizer.Tokenize(Mixed, parseSpecial: false).SelectMany(token => driver.Tokenizer.GetBytes(token).ToArray()).ToArray();
        Require.Equal(Mixed, Encoding.UTF8.GetString(bytes).TrimStart(' '), "Bytes of the tokens of a text");
        Require.Equal(0, driver.Tokenizer.Tokenize("", parseSpecial: true).Length, "Tokens of an empty text");
        Require.That(driver.Tokenizer.IsEndOfGeneration(driver.Tokenizer.EndOfText), "The end-of-text token does not end the generation.");
    }

    private static void SpecialTextsAreTextUnlessAskedFor(IModelDriver driver)
    {
        foreach (var special in driver.Tokenizer.SpecialTexts.Take(3))
        {
            var asText = driver.Tokenizer.Tokenize(special, parseSpecial: false);
            Require.That(asText.All(token => !driver.Tokenizer.IsSpecial(token)), $"'{special}' became a special token without being asked to.");
            var asToken = driver.Tokenizer.Tokenize(special, parseSpecial: true);
            Require.That(
                asToken is [var only] && driver.Tokenizer.GetSpecialText(only) == special, $"'{special}' does not name the token whose text it is.");
        }
    }

    private static void SameBatchSameLogits(IModelDriver driver)
    {
        var tokens = Prompt(driver, 8);
        var first = Run(driver, 0, tokens);
        Require.That(driver.RemoveSequence(0, 0, int.MaxValue), "A whole sequence could not be removed.");
        var second = Run(driver, 0, tokens);
        Require.That(first.AsSpan().SequenceEqual(second), "The same batch on an empty cache gave other logits.");
        Require.Equal(driver.Tokenizer.Size, first.Length, "Logits of a token");
    }

    private static void PrefillInParts(IModelDriver driver)
    {
        var tokens = Prompt(driver, 12);
        var whole = Run(driver, 0, tokens);
        Run(driver, 1, tokens[..5]);
        Close(whole, Run(driver, 1, tokens[5..], 5), "Prefill in two parts against one");
    }

    private static void SequencesDoNotSeeEachOther(IModelDriver driver)
    {
        var tokens = Prompt(driver, 8);
        var alone = Run(driver, 0, tokens);
        var batch = new DecodeBatch();
        for (var i = 0; i < 8; i++)
        {
            batch.Add(tokens[i], i, output: i == 7, 1);
            batch.Add(tokens[7 - i], i, output: false, 2);
        }

        Require.Equal(DecodeStatus.Done, driver.Decode(batch), "A batch of two sequences");
        Close(alone, driver.GetLogits(14).ToArray(), "A sequence beside another against alone");
    }

    private static void CopiedSequenceGoesOn(IModelDriver driver)
    {
        var tokens = Prompt(driver, 10);
        Run(driver, 0, tokens[..9]);
        driver.CopySequence(0, 3, 0, 9);
        var source = Run(driver, 0, tokens[9..], 9);
        Close(source, Run(driver, 3, tokens[9..], 9), "A copied sequence against its source");

        driver.CopySequence(0, 4, 0, 5);
        Run(driver, 4, tokens[5..9], 5);
        Close(source, Run(driver, 4, tokens[9..], 9), "A partly copied sequence against its source");

        Require.That(driver.RemoveSequence(0, 0, int.MaxValue), "A copied sequence could not be removed.");
        Require.That(driver.RemoveSequence(3, 9, int.MaxValue), "A copy could not be cut.");
        Close(source, Run(driver, 3, tokens[9..], 9), "A copy whose source is gone");
    }

    private static void TokenMayJoinSeveralSequences(IModelDriver driver)
    {
        var tokens = Prompt(driver, 8);
        var alone = Run(driver, 0, tokens);
        var batch = new DecodeBatch();
        for (var i = 0; i < 7; i++)
        {
            batch.Add(tokens[i], i, output: false, 1, 2);
        }

        batch.Add(tokens[7], 7, output: true, 1);
        batch.Add(tokens[0], 7, output: true, 2);
        Require.Equal(DecodeStatus.Done, driver.Decode(batch), "A batch of shared tokens");
        Close(alone, driver.GetLogits(7).ToArray(), "A sequence that shares its prefix");
        var other = driver.GetLogits(8).ToArray();
        Close(Run(driver, 3, [.. tokens[..7], tokens[0]]), other, "The other sequence that shares it");
    }

    private static void CutSequenceGoesOn(IModelDriver driver)
    {
        var tokens = Prompt(driver, 10);
        var whole = Run(driver, 0, tokens);
        Require.That(driver.RemoveSequence(0, 4, int.MaxValue), "A sequence could not be cut.");
        Close(whole, Run(driver, 0, tokens[4..], 4), "A sequence cut and computed again");
        Require.That(driver.RemoveSequence(0, 50, 60), "Removing what is not there failed.");
    }

    private static void LongSequenceIsCut(IModelDriver driver)
    {
        var tokens = Prompt(driver, 100);
        Run(driver, 0, tokens[..59]);
        var expected = Run(driver, 0, tokens[59..60], 59);
        Require.That(driver.RemoveSequence(0, 0, int.MaxValue), "A whole sequence could not be removed.");

        // The last one needs more room than the first left: a cache that takes away what is seen no more takes it here.
        Run(driver, 1, tokens[..50]);
        Run(driver, 0, tokens[..59]);
        Run(driver, 0, tokens[59..], 59);
        Require.That(driver.RemoveSequence(1, 0, int.MaxValue), "A whole sequence could not be removed.");
        Run(driver, 2, tokens);
        Require.That(driver.RemoveSequence(0, 59, int.MaxValue), "A sequence could not be cut.");
        Close(expected, Run(driver, 0, tokens[59..60], 59), "A long sequence cut after others were computed");
    }

    private static void LoadedSequenceIsCut(IModelDriver driver)
    {
        var tokens = Prompt(driver, 100);
        Run(driver, 0, tokens[..59]);
        Run(driver, 0, tokens[59..], 59);
        var state = driver.SaveSequence(0);
        Require.That(driver.RemoveSequence(0, 59, int.MaxValue), "A sequence could not be cut.");
        var expected = Run(driver, 0, tokens[59..60], 59);
        Require.That(driver.RemoveSequence(0, 0, int.MaxValue), "A whole sequence could not be removed.");
        Require.That(driver.LoadSequence(2, state), "A saved sequence could not be loaded.");
        Require.That(driver.RemoveSequence(2, 59, int.MaxValue), "A loaded sequence could not be cut.");
        Close(expected, Run(driver, 2, tokens[59..60], 59), "A loaded sequence that was cut");
    }

    private static void GapIsFilledBySharing(IModelDriver driver)
    {
        var tokens = Prompt(driver, 10);
        var whole = Run(driver, 0, tokens);
        Run(driver, 1, tokens[..9]);
        Require.That(driver.RemoveSequence(1, 2, 6), "The middle of a sequence could not be removed.");
        Require.Throws<ArgumentException>(() => Run(driver, 1, tokens[9..], 9), "Decoding a sequence with a gap");
        driver.CopySequence(0, 1, 2, 6);
        Close(whole, Run(driver, 1, tokens[9..], 9), "A sequence whose middle is shared with another");
    }

    private static void CellsAreCounted(IModelDriver driver)
    {
        if (driver.CountUsedCells() is null)
        {
            return;
        }

        var tokens = Prompt(driver, 8);
        Run(driver, 0, tokens);
        driver.CopySequence(0, 1, 0, 8);
        driver.CopySequence(0, 2, 0, 3);
        Require.Equal<int?>(8, driver.CountUsedCells(), "Cells of one prompt that three sequences share");
        Run(driver, 2, tokens[..2], 3);
        Require.Equal<int?>(10, driver.CountUsedCells(), "Cells after two more tokens");
        driver.RemoveSequence(0, 0, int.MaxValue);
        driver.RemoveSequence(1, 2, int.MaxValue);
        Require.Equal<int?>(5, driver.CountUsedCells(), "Cells after the longest sequences are gone");
        driver.RemoveSequence(1, 0, int.MaxValue);
        driver.RemoveSequence(2, 0, int.MaxValue);
        Require.Equal<int?>(0, driver.CountUsedCells(), "Cells after all are gone");
    }

    private static void SavedSequenceGoesOn(IModelDriver driver)
    {
        var tokens = Prompt(driver, 10);
        Run(driver, 0, tokens[..9]);
        var state = driver.SaveSequence(0);
        var expected = Run(driver, 0, tokens[9..], 9);
        Require.That(driver.LoadSequence(5, state), "A saved sequence could not be loaded.");
        Close(expected, Run(driver, 5, tokens[9..], 9), "A loaded sequence against the one saved");
        Require.That(driver.LoadSequence(0, state), "A saved sequence could not replace another.");
        Close(expected, Run(driver, 0, tokens[9..], 9), "A sequence taken back to its saved state");
    }

    private static void DamagedStateIsRefused(IModelDriver driver)
    {
        Run(driver, 0, Prompt(driver, 8));
        var state = driver.SaveSequence(0);
        foreach (var index in new[] { 0, state.Length / 2, state.Length - 1 })
        {
            var damaged = state.ToArray();
            damaged[index] ^= 0x10;
            Require.Throws<InvalidDataException>(() => driver.LoadSequence(1, damaged), $"A state with a wrong bit in byte {index} of {state.Length}");
        }

        Require.Throws<InvalidDataException>(() => driver.LoadSequence(1, state.AsSpan(0, state.Length - 9)), "A state cut short");
        Require.Throws<InvalidDataException>(() => driver.LoadSequence(1, []), "An empty state");
    }

    private static void FullCacheStaysUsable(IModelDriver driver)
    {
        var tokens = Prompt(driver, 8);
        var alone = Run(driver, 0, tokens);
        driver.RemoveSequence(0, 0, int.MaxValue);

        var sequences = Math.Min(4, driver.Info.MaxSequences);
        var position = 0;
        var status = DecodeStatus.Done;
        var step = Math.Min(driver.Info.BatchSize / sequences, 64);
        var batch = new DecodeBatch();
        while (status == DecodeStatus.Done && position < driver.Info.ContextSize + step && position + step < driver.Info.TrainedContext)
        {
            batch.Clear();
            for (var i = 0; i < step; i++)
            {
                for (var sequence = 0; sequence < sequences; sequence++)
                {
                    batch.Add(tokens[i % 8], position + i, output: false, sequence);
                }
            }

            status = driver.Decode(batch);
            position += step;
        }

        Require.Equal(DecodeStatus.NoSpace, status, "Decoding past the end of the cache");
        for (var sequence = 0; sequence < sequences; sequence++)
        {
            driver.RemoveSequence(sequence, 0, int.MaxValue);
        }

        Close(alone, Run(driver, 0, tokens), "A prompt after the cache was full");
    }

    private static void OutputsNotAskedFor(IModelDriver driver)
    {
        var tokens = Prompt(driver, 4);
        Run(driver, 0, tokens);
        foreach (var index in new[] { 0, -1, 4, int.MaxValue })
        {
            Require.Throws<ArgumentException>(() => driver.GetLogits(index), $"Logits of token {index}, which were not asked for");
        }
    }

    private static void BadBatches(IModelDriver driver)
    {
        var token = Prompt(driver, 1)[0];
        var good = Run(driver, 0, [token]);

        Refused("an empty batch");
        Refused("a token below the vocabulary", (-1, 1, [0]));
        Refused("a token above the vocabulary", (driver.Tokenizer.Size, 1, [0]));
        Refused("a gap", (token, 2, [0]));
        Refused("a position that is taken", (token, 0, [0]));
        Refused("a negative position", (token, -1, [0]));
        Refused("a new sequence that does not begin at 0", (token, 1, [1]));
        Refused("no sequence", (token, 1, []));
        Refused("a negative sequence", (token, 1, [-1]));
        Refused("a sequence too high", (token, 0, [driver.Info.MaxSequences]));
        Refused("a sequence far too high", (token, 0, [int.MaxValue]));
        Refused("a gap within the batch", (token, 1, [0]), (token, 3, [0]));
        Refused("positions going back", (token, 1, [0]), (token, 1, [0]));
        Refused("sequences of different lengths sharing a token", (token, 1, [0, 1]));

        var large = new DecodeBatch();
        for (var i = 0; i <= driver.Info.BatchSize; i++)
        {
            large.Add(token, i, output: false, 2);
        }

        Require.Throws<ArgumentException>(() => driver.Decode(large), "A batch larger than the batch size");
        driver.RemoveSequence(0, 0, int.MaxValue);
        Close(good, Run(driver, 0, [token]), "A good batch after bad ones");

        void Refused(string what, params (int Token, int Position, int[] Sequences)[] entries)
        {
            var batch = new DecodeBatch();
            foreach (var (id, position, sequences) in entries)
            {
                batch.Add(id, position, output: true, sequences);
            }

            Require.Throws<ArgumentException>(() => driver.Decode(batch), $"A batch with {what}");
        }
    }

    private static void BadSequences(IModelDriver driver)
    {
        Run(driver, 0, Prompt(driver, 6));
        foreach (var sequence in new[] { -1, driver.Info.MaxSequences, int.MinValue, int.MaxValue })
        {
            Require.Throws<ArgumentException>(() => driver.RemoveSequence(sequence, 0, 1), $"Removing of sequence {sequence}");
            Require.Throws<ArgumentException>(() => driver.CopySequence(0, sequence, 0, 1), $"Copying to sequence {sequence}");
            Require.Throws<ArgumentException>(() => driver.CopySequence(sequence, 0, 0, 1), $"Copying from sequence {sequence}");
            Require.Throws<ArgumentException>(() => driver.SaveSequence(sequence), $"Saving sequence {sequence}");
            Require.Throws<ArgumentException>(() => driver.LoadSequence(sequence, driver.SaveSequence(0)), $"Loading sequence {sequence}");
        }

        Require.Throws<ArgumentException>(() => driver.CopySequence(0, 1, 0, 7), "Copying more than there is");
        Require.Throws<ArgumentException>(() => driver.CopySequence(0, 0, 0, 6), "Copying a sequence to itself");
        Require.Throws<ArgumentException>(() => driver.CopySequence(0, 1, 2, 6), "Copying that leaves a gap");
        driver.CopySequence(0, 1, 0, 4);
        Require.Throws<ArgumentException>(() => driver.CopySequence(0, 1, 3, 6), "Copying over cells");
        Require.Throws<ArgumentException>(() => driver.CopySequence(0, 1, -1, 6), "Copying from a negative position");
        Require.Throws<ArgumentException>(() => driver.CopySequence(0, 1, 4, 2), "Copying backwards");
        Require.Throws<ArgumentException>(() => driver.RemoveSequence(0, -1, 6), "Removing from a negative position");
        Require.Throws<ArgumentException>(() => driver.RemoveSequence(0, 4, 2), "Removing backwards");
    }

    private static void BadAdaptersAndThreads(IModelDriver driver)
    {
        Require.Throws<ArgumentException>(() => driver.SetAdapters([(0, 1f)]), "An adapter that was never loaded");
        Require.Throws<ArgumentException>(() => driver.SetAdapters([(-1, 1f)]), "A negative adapter");
        driver.SetAdapters([]);
        Require.Throws<ArgumentException>(() => driver.SetThreads(0, 1), "No threads");
        Require.Throws<ArgumentException>(() => driver.SetThreads(1, -1), "Negative threads");
        driver.SetThreads(1, 1);
        Run(driver, 0, Prompt(driver, 4));
    }

    private static void AbortWithoutDecode(IModelDriver driver)
    {
        driver.RequestAbort();
        Run(driver, 0, Prompt(driver, 4));
    }

    private static void DisposedDriver(IModelDriver driver)
    {
        Run(driver, 0, Prompt(driver, 4));
        driver.Dispose();
        driver.Dispose();
        Require.Throws<ObjectDisposedException>(() => driver.RemoveSequence(0, 0, 1), "A call after the end");
        driver.RequestAbort();
    }

    private static int[] Prompt(IModelDriver driver, int length)
    {
        var tokens = new List<int>();
        while (tokens.Count < length)
        {
            tokens.AddRange(driver.Tokenizer.Tokenize(Text, parseSpecial: false));
        }

        return [.. tokens[..length]];
    }

    /// <summary>Decodes tokens of one sequence and returns the logits of the last.</summary>
    private static float[] Run(IModelDriver driver, int sequence, int[] tokens, int start = 0)
    {
        var batch = new DecodeBatch();
        for (var i = 0; i < tokens.Length; i++)
        {
            if (batch.Count == driver.Info.BatchSize)
            {
                Require.Equal(DecodeStatus.Done, driver.Decode(batch), $"A batch of {batch.Count} tokens");
                batch.Clear();
            }

            batch.Add(tokens[i], start + i, output: i == tokens.Length - 1, sequence);
        }

        Require.Equal(DecodeStatus.Done, driver.Decode(batch), $"A batch of {batch.Count} tokens");
        return driver.GetLogits(batch.Count - 1).ToArray();
    }

    private static void Close(float[] expected, float[] actual, string what)
    {
        Require.Equal(expected.Length, actual.Length, what + ", length");
        var worst = 0f;
        for (var i = 0; i < expected.Length; i++)
        {
            worst = Math.Max(worst, MathF.Abs(expected[i] - actual[i]));
        }

        Require.That(worst <= Tolerance, $"{what}: logits differ by {worst}, more than {Tolerance}.");
    }
}
