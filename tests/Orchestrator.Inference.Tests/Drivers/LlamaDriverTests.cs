using Microsoft.Extensions.Logging;
using Orchestrator.Core;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Native;
using Orchestrator.Testing.Models;

namespace Orchestrator.Inference.Tests.Drivers;

public sealed class LlamaDriverTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_the_file_says_is_what_the_driver_says()
    {
        using var driver = Open();
        Assert.Equal("tiny", driver.Info.Name);
        Assert.Equal("llama", driver.Info.Architecture);
        Assert.Equal(512, driver.Info.ContextSize);
        Assert.Equal(2048, driver.Info.TrainedContext);
        Assert.Equal(64, driver.Info.EmbeddingLength);
        Assert.Equal(TinyModelOptions.ChatMl, driver.Info.ChatTemplate);
        Assert.Equal(512, driver.Tokenizer.Size);
        Assert.True(driver.Info.CanCut);
        Assert.Null(driver.Tokenizer.BeginOfText);
        Assert.Contains("<|im_end|>", driver.Tokenizer.SpecialTexts);
        Assert.Single(driver.Tokenizer.Tokenize("<|im_start|>", parseSpecial: true));
    }

    [Fact]
    public void An_abort_from_another_thread_ends_the_decode_and_keeps_nothing_of_it()
    {
        // Large enough that a decode takes many times longer than raising a flag.
        var path = TinyModel.Create(_folder.File("slow.gguf"), new TinyModelOptions { Layers = 8, Width = 256, FeedForward = 1024 });
        using var driver = Open(path, batch: 512, context: 1024);
        var prompt = Prompt(driver, 512);
        var expected = Decode(driver, 0, prompt[..8], 0).Logits;
        Assert.True(driver.RemoveSequence(0, 0, int.MaxValue));
        Assert.Equal(DecodeStatus.Done, Decode(driver, 0, prompt[..4], 0).Status);

        using var stop = new CancellationTokenSource();
        var aborter = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                driver.RequestAbort();
            }
        });
        aborter.Start();
        var status = Decode(driver, 0, prompt[..508], 4, alsoInto: 1, aborts: true).Status;
        stop.Cancel();
        aborter.Join();

        Assert.Equal(DecodeStatus.Aborted, status);
        Assert.Equal(4, driver.GetSequenceLength(0));
        Assert.Equal(4, driver.GetSequenceLength(1));
        Assert.Equal(4, driver.CountUsedCells());
        AssertClose(expected, Decode(driver, 0, prompt[4..8], 4).Logits);
        AssertClose(expected, Decode(driver, 1, prompt[4..8], 4).Logits);
    }

    [Theory]
    [InlineData(TinyArchitecture.Recurrent)]
    [InlineData(TinyArchitecture.Hybrid)]
    public void A_batch_of_a_model_whose_states_move_is_finished_in_spite_of_an_abort(TinyArchitecture architecture)
    {
        var path = TinyModel.Create(_folder.File("slow.gguf"), new TinyModelOptions { Architecture = architecture, Layers = 4, Width = 128 });
        using var driver = Open(path, batch: 512, context: 1024);
        var prompt = Prompt(driver, 512);
        var expected = Decode(driver, 0, prompt, 0).Logits;
        using var stop = new CancellationTokenSource();
        var aborter = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                driver.RequestAbort();
            }
        });
        aborter.Start();
        var actual = Decode(driver, 1, prompt, 0);
        stop.Cancel();
        aborter.Join();

        Assert.Equal(DecodeStatus.Done, actual.Status);
        AssertClose(expected, actual.Logits);
        Assert.Equal(512, driver.GetSequenceLength(0));
    }

    [Fact]
    public void So_many_sequences_that_none_is_left_for_their_twins_are_refused()
    {
        var options = new LlamaDriverOptions
        {
            ModelPath = TinyModel.SharedPathOf(TinyArchitecture.SlidingWindow),
            ContextSize = 512,
            BatchSize = 256,
            MaxSequences = 128,
            Threads = 1,
        };
        var error = Assert.Throws<OrchestratorException>(() => LlamaDriverLoader.Open(options));
        Assert.Contains("127 sequences at once, not 128", error.Message, StringComparison.Ordinal);
        using var driver = LlamaDriverLoader.Open(options with { MaxSequences = 127 });
        Assert.Equal(127, driver.Info.MaxSequences);
    }

    [Theory]
    [InlineData(512, 64, 64, 31)]
    [InlineData(64, 512, 64, 31)]
    [InlineData(2, 64, 1, 0)]
    public void A_batch_without_a_token_for_each_twin_is_refused(int context, int batch, int sequences, int most)
    {
        var options = new LlamaDriverOptions
        {
            ModelPath = TinyModel.SharedPathOf(TinyArchitecture.SlidingWindow),
            ContextSize = context,
            BatchSize = batch,
            MaxSequences = sequences,
            Threads = 1,
        };
        var error = Assert.Throws<OrchestratorException>(() => LlamaDriverLoader.Open(options));
        Assert.Contains($"{most} sequences at once, not {sequences}", error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.Remedy);
        if (most > 0)
        {
            using var driver = LlamaDriverLoader.Open(options with { MaxSequences = most });
            Assert.Equal(most, driver.Info.MaxSequences);
        }
    }

    [Fact]
    public void An_adapter_changes_the_logits_by_its_scale_and_can_be_added_while_serving()
    {
        using var driver = Open();
        var prompt = Prompt(driver, 8);
        var plain = Fresh(driver, prompt);
        var adapter = driver.LoadAdapter(TinyAdapter.Create(_folder.File("a.gguf"), TinyModel.SharedPath));
        Assert.Equal(0, adapter);
        Assert.Empty(driver.InvocationTokens(adapter));
        Assert.Equal(plain, Fresh(driver, prompt));

        driver.SetAdapters([(adapter, 1f)]);
        var adapted = Fresh(driver, prompt);
        driver.SetAdapters([(adapter, 0.5f)]);
        var half = Fresh(driver, prompt);
        driver.SetAdapters([]);

        Assert.True(Distance(plain, adapted) > 0.1f, "The adapter changed nothing.");
        Assert.True(Distance(plain, half) < Distance(plain, adapted), "Half the scale changed as much.");
        Assert.Equal(plain, Fresh(driver, prompt));
        Assert.Throws<ArgumentException>(() => driver.SetAdapters([(adapter, float.NaN)]));
        Assert.Throws<ArgumentException>(() => driver.SetAdapters([(adapter, 1f), (adapter, 1f)]));
        Assert.Throws<ArgumentOutOfRangeException>(() => driver.SetAdapters([(1, 1f)]));
    }

    [Fact]
    public void An_activated_adapter_names_its_invocation_tokens()
    {
        using var driver = Open();
        var path = TinyAdapter.Create(_folder.File("a.gguf"), TinyModel.SharedPath, new TinyAdapterOptions { InvocationTokens = [7, 9] });
        Assert.Equal([7, 9], driver.InvocationTokens(driver.LoadAdapter(path)));
    }

    [Fact]
    public void An_adapter_of_another_model_is_refused()
    {
        using var driver = Open();
        var other = TinyModel.Create(_folder.File("other.gguf"), new TinyModelOptions { Width = 128, Layers = 3 });
        var adapter = TinyAdapter.Create(_folder.File("a.gguf"), other);
        Assert.Equal(ErrorKind.Model, Assert.Throws<OrchestratorException>(() => driver.LoadAdapter(adapter)).Kind);
        Assert.Throws<OrchestratorException>(() => driver.LoadAdapter(_folder.File("none.gguf")));
    }

    [Fact]
    public void A_state_of_another_model_is_refused()
    {
        using var driver = Open();
        Decode(driver, 0, Prompt(driver, 8), 0);
        var state = driver.SaveSequence(0);
        using var other = Open(TinyModel.Create(_folder.File("other.gguf"), new TinyModelOptions { Seed = 2 }));
        Assert.Contains("another model", Assert.Throws<InvalidDataException>(() => other.LoadSequence(0, state)).Message, StringComparison.Ordinal);
        using var again = Open();
        Assert.True(again.LoadSequence(3, state));
    }

    [Fact]
    public void A_state_that_does_not_fit_is_refused_and_nothing_is_lost_but_the_sequence()
    {
        using var driver = Open(context: 256);
        var prompt = Prompt(driver, 100);
        Decode(driver, 0, prompt, 0);
        var state = driver.SaveSequence(0);
        var after = Decode(driver, 0, prompt[..1], 100).Logits;
        Assert.True(driver.RemoveSequence(0, 100, int.MaxValue));
        Decode(driver, 1, prompt, 0);
        Assert.False(driver.LoadSequence(2, state));
        Assert.Equal(200, driver.CountUsedCells());
        AssertClose(after, Decode(driver, 0, prompt[..1], 100).Logits);
    }

    [Fact]
    public void Embeddings_are_given_where_asked_for()
    {
        using var driver = Open(embeddings: true);
        var prompt = Prompt(driver, 6);
        Assert.Equal(DecodeStatus.Done, Decode(driver, 0, prompt, 0).Status);
        Assert.Equal(driver.Info.EmbeddingLength, driver.GetEmbedding(2).Length);
        Assert.Contains(driver.GetEmbedding(5).ToArray(), value => value != 0);
        using var plain = Open();
        Decode(plain, 0, prompt, 0);
        Assert.Throws<InvalidOperationException>(() => plain.GetEmbedding(5));
    }

    [Fact]
    public void Threads_can_change_at_any_time()
    {
        using var driver = Open();
        var prompt = Prompt(driver, 8);
        var expected = Fresh(driver, prompt);
        foreach (var (decode, prefill) in new[] { (1, 1), (4, 2), (2, 4), (1, 3) })
        {
            driver.SetThreads(decode, prefill);
            AssertClose(expected, Fresh(driver, prompt));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => driver.SetThreads(513, 1));
    }

    [Fact]
    public void The_model_lives_as_long_as_its_driver_is_used()
    {
        var driver = Open();
        var tokenizer = driver.Tokenizer;
        driver.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tokenizer.Tokenize("text", parseSpecial: false));
        Assert.Throws<ObjectDisposedException>(() => driver.Decode(new DecodeBatch()));
        Assert.NotEqual(0, tokenizer.GetBytes(100).Length + tokenizer.Size);
    }

    [Fact]
    public void A_second_thread_is_refused_while_one_decodes()
    {
        var path = TinyModel.Create(_folder.File("slow.gguf"), new TinyModelOptions { Layers = 8, Width = 256, FeedForward = 1024 });
        using var driver = Open(path, batch: 512, context: 1024);
        var prompt = Prompt(driver, 512);
        using var stop = new CancellationTokenSource();
        var refused = false;
        var decoder = new Thread(() =>
        {
            // Whichever of the two comes second is refused.
            Volatile.Write(ref refused, Refused(() => Decode(driver, 0, prompt, 0)));
            stop.Cancel();
        });
        decoder.Start();
        var other = false;
        while (!stop.IsCancellationRequested && !other)
        {
            other = Refused(() => driver.RemoveSequence(5, 0, 1));
        }

        decoder.Join();
        Assert.True(refused || other);

        static bool Refused(Action call)
        {
            try
            {
                call();
                return false;
            }
            catch (InvalidOperationException)
            {
                return true;
            }
        }
    }

    [Fact]
    public void A_load_that_does_not_fit_memory_names_the_context_that_would()
    {
        var path = TinyModel.Create(_folder.File("wide.gguf"), new TinyModelOptions { Context = 1 << 30, KeyValueHeads = 4, Layers = 4 });
        var error = Assert.Throws<OrchestratorException>(() => LlamaDriverLoader.Open(new LlamaDriverOptions { ModelPath = path, ContextSize = 1 << 30 }));
        Assert.Equal(ErrorKind.Model, error.Kind);
        Assert.Contains("context", error.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("none.gguf", null)]
    [InlineData("text.gguf", "this is not a model")]
    public void What_is_not_a_model_is_refused(string name, string? content)
    {
        var path = _folder.File(name);
        if (content is not null)
        {
            File.WriteAllText(path, content);
        }

        var error = Assert.Throws<OrchestratorException>(() => LlamaDriverLoader.Open(new LlamaDriverOptions { ModelPath = path }));
        Assert.Equal(ErrorKind.Model, error.Kind);
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Loading_can_be_cancelled_and_reports_progress()
    {
        var shares = new List<float>();
        using (LlamaDriverLoader.Open(new LlamaDriverOptions { ModelPath = TinyModel.SharedPath, ContextSize = 256 }, progress: new Recorder(shares)))
        {
            Assert.Equal(1f, shares[^1]);
        }

        using var source = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => LlamaDriverLoader.Open(
            new LlamaDriverOptions { ModelPath = TinyModel.SharedPath, ContextSize = 256 },
            progress: new Canceller(source),
            cancellationToken: source.Token));
    }

    [Fact]
    public void The_librarys_messages_go_to_the_logger()
    {
        var logger = new ListLogger();
        using var driver = LlamaDriverLoader.Open(new LlamaDriverOptions { ModelPath = TinyModel.SharedPath, ContextSize = 256 }, logger);
        lock (logger.Messages)
        {
            Assert.Contains(logger.Messages, message => message.StartsWith("llama.cpp: ", StringComparison.Ordinal));
            Assert.DoesNotContain(logger.Messages, message => message.Contains('\n', StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData(4096, 512, 257, 0)]
    [InlineData(4096, 8, 16, 0)]
    [InlineData(4096, 512, 0, 0)]
    [InlineData(-1, 512, 16, 0)]
    [InlineData(8, 512, 16, 0)]
    [InlineData(4096, 512, 16, 1000)]
    public void Options_that_would_end_the_process_are_refused(int context, int batch, int sequences, int threads)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => LlamaDriverLoader.Open(new LlamaDriverOptions
        {
            ModelPath = TinyModel.SharedPath,
            ContextSize = context,
            BatchSize = batch,
            MaxSequences = sequences,
            Threads = threads,
        }));
    }

    private static IModelDriver Open(string? path = null, int batch = 128, int context = 512, bool embeddings = false) =>
        LlamaDriverLoader.Open(new LlamaDriverOptions
        {
            ModelPath = path ?? TinyModel.SharedPath,
            ContextSize = context,
            BatchSize = batch,
            MaxSequences = 16,
            Threads = 1,
            Embeddings = embeddings,
        });

    private static int[] Prompt(IModelDriver driver, int length) =>
        [.. Enumerable.Repeat(driver.Tokenizer.Tokenize("A stitch in time saves nine. ", parseSpecial: false), length).SelectMany(t => t).Take(length)];

    private static float[] Fresh(IModelDriver driver, int[] prompt)
    {
        driver.RemoveSequence(0, 0, int.MaxValue);
        return Decode(driver, 0, prompt, 0).Logits;
    }

    private static (DecodeStatus Status, float[] Logits) Decode(
        IModelDriver driver, int sequence, int[] tokens, int start, int? alsoInto = null, bool aborts = false)
    {
        if (alsoInto is { } other)
        {
            driver.CopySequence(sequence, other, 0, start);
        }

        var batch = new DecodeBatch();
        for (var i = 0; i < tokens.Length; i++)
        {
            var output = i == tokens.Length - 1;
            _ = alsoInto is { } second
                ? batch.Add(tokens[i], start + i, output, sequence, second)
                : batch.Add(tokens[i], start + i, output, sequence);
        }

        var status = driver.Decode(batch);
        return (status, aborts || driver.Info.Embeddings ? [] : driver.GetLogits(tokens.Length - 1).ToArray());
    }

    private static float Distance(float[] left, float[] right) => left.Zip(right, (a, b) => MathF.Abs(a - b)).Max();

    private static void AssertClose(float[] expected, float[] actual) => Assert.InRange(Distance(expected, actual), 0, 0.05f);

    private sealed class Recorder(List<float> shares) : IProgress<float>
    {
        public void Report(float value) => shares.Add(value);
    }

    private sealed class Canceller(CancellationTokenSource source) : IProgress<float>
    {
        public void Report(float value) => source.Cancel();
    }

    private sealed class ListLogger : ILogger
    {
        public List<string> Messages { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (Messages)
            {
                Messages.Add(formatter(state, exception));
            }
        }
    }
}
