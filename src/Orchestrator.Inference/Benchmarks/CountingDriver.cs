using Orchestrator.Inference.Drivers;

namespace Orchestrator.Inference.Benchmarks;

/// <summary>Counts what the engine really gives to the decoder.</summary>
/// <param name="driver">What decodes.</param>
/// <param name="time">The clock.</param>
/// <param name="endless">Whether it knows no end of an answer, so that all have the same length.</param>
internal sealed class CountingDriver(IModelDriver driver, TimeProvider time, bool endless = true) : IModelDriver
{
    public int Fed { get; private set; }

    /// <summary>Batches given to the decoder.</summary>
    public int Decodes { get; private set; }

    /// <summary>Time spent in the library.</summary>
    public TimeSpan Decoding { get; private set; }

    public DriverInfo Info => driver.Info;

    public ITokenizer Tokenizer { get; } = endless ? new Endless(driver.Tokenizer) : driver.Tokenizer;

    public DecodeStatus Decode(DecodeBatch batch)
    {
        Fed += batch.Count;
        Decodes++;
        var start = time.GetTimestamp();
        var status = driver.Decode(batch);
        Decoding += time.GetElapsedTime(start);
        return status;
    }

    public ReadOnlySpan<float> GetLogits(int batchIndex) => driver.GetLogits(batchIndex);

    public ReadOnlySpan<float> GetEmbedding(int batchIndex) => driver.GetEmbedding(batchIndex);

    public void CopySequence(int source, int destination, int start, int end) => driver.CopySequence(source, destination, start, end);

    public bool RemoveSequence(int sequence, int start, int end) => driver.RemoveSequence(sequence, start, end);

    public byte[] SaveSequence(int sequence) => driver.SaveSequence(sequence);

    public bool LoadSequence(int sequence, ReadOnlySpan<byte> state) => driver.LoadSequence(sequence, state);

    public int LoadAdapter(string path) => driver.LoadAdapter(path);

    public void FreeAdapter(int adapter) => driver.FreeAdapter(adapter);

    public void SetAdapters(ReadOnlySpan<(int Adapter, float Scale)> adapters) => driver.SetAdapters(adapters);

    public void SetThreads(int decode, int prefill) => driver.SetThreads(decode, prefill);

    public void RequestAbort() => driver.RequestAbort();

    public void Dispose() => driver.Dispose();

    private sealed class Endless(ITokenizer tokenizer) : ITokenizer
    {
        public int Size => tokenizer.Size;

        public int? BeginOfText => tokenizer.BeginOfText;

        public int EndOfText => tokenizer.EndOfText;

        public IReadOnlyList<string> SpecialTexts => tokenizer.SpecialTexts;

        public ReadOnlySpan<byte> GetBytes(int token) => tokenizer.GetBytes(token);

        public bool IsSpecial(int token) => tokenizer.IsSpecial(token);

        public bool IsEndOfGeneration(int token) => false;

        public string? GetSpecialText(int token) => tokenizer.GetSpecialText(token);

        public int[] Tokenize(string text, bool parseSpecial) => tokenizer.Tokenize(text, parseSpecial);
    }
}
