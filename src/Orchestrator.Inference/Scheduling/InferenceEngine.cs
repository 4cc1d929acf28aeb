using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Core;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling.Cache;
using Orchestrator.Inference.Scheduling.Sampling;
using Orchestrator.Inference.Scheduling.Speculation;

namespace Orchestrator.Inference.Scheduling;

/// <summary>
/// Serves many requests from one driver: a thread of its own runs the scheduler, and callers talk to it by messages.
/// </summary>
public sealed partial class InferenceEngine : IInferenceEngine
{
    /// <summary>About 50 microseconds; .NET scales a spin to the processor.</summary>
    private const int GatherSpins = 1_500;

    private readonly IModelDriver _driver;
    private readonly IModelDriver? _draft;
    private readonly InferenceEngineOptions _options;
    private readonly TimeProvider _time;
    private readonly Scheduler _scheduler;
    private readonly DiskStates? _disk;
    private readonly ILogger _log;
    private readonly TokenSampler _sampler;
    private readonly TextSplitter _splitter;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly object _gate = new();
    private List<Action> _inbox = [];
    private EngineStatistics _statistics;
    private int _requests;
    private bool _closing;

    /// <summary>Creates the engine and starts its thread.</summary>
    /// <param name="driver">The model; the engine owns it from now on, and disposes it.</param>
    /// <param name="options">How to schedule; null for the defaults.</param>
    /// <param name="adapterPath">Finds the file of an adapter by its name; null where there are none.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <param name="logger">Where failures are told; null for nowhere.</param>
    /// <param name="draft">
    /// A small model of the same vocabulary that guesses ahead; null for none. The engine owns it too, once it is created.
    /// </param>
    /// <exception cref="ArgumentException">The options' state folder is not absolute.</exception>
    /// <exception cref="OrchestratorException">The draft model has another vocabulary, or its cache cannot be cut.</exception>
    public InferenceEngine(
        IModelDriver driver,
        InferenceEngineOptions? options = null,
        Func<string, string?>? adapterPath = null,
        TimeProvider? time = null,
        ILogger<InferenceEngine>? logger = null,
        IModelDriver? draft = null)
    {
        ArgumentNullException.ThrowIfNull(driver);
        if (options?.StateFolder is { } relative && !Path.IsPathFullyQualified(relative))
        {
            throw new ArgumentException($"{nameof(options.StateFolder)} must be an absolute path, not '{relative}'.", nameof(options));
        }

        _driver = driver;
        _draft = draft;
        _options = options ?? new InferenceEngineOptions();
        _time = time ?? TimeProvider.System;
        Model = driver.Info;
        Tokenizer = driver.Tokenizer;
        _sampler = new TokenSampler(Tokenizer.Size);
        _splitter = new TextSplitter(Tokenizer);
        _log = (ILogger?)logger ?? NullLogger.Instance;
        var guesser = draft is null ? null : DraftModel.For(driver, draft);
        _disk = _options.StateFolder is { } folder && !Model.Embeddings && Model.StateFingerprint != 0
            ? DiskStates.Open(folder, Model.StateFingerprint, _options.StateFolderBytes, _time, _log, whole: !Model.CanCut)
            : null;
        _scheduler = new Scheduler(driver, guesser, _options, new AdapterLoader(driver, adapterPath), _time, _log, _disk);
        _statistics = _scheduler.GetStatistics();
        _thread = new Thread(Run) { IsBackground = true, Name = $"inference {Model.Name}" };
        _thread.Start();
    }

    /// <inheritdoc/>
    public DriverInfo Model { get; }

    /// <inheritdoc/>
    public ITokenizer Tokenizer { get; }

    /// <summary>Why no tokens are guessed ahead, as a sentence; null where they may be.</summary>
    public string? NoSpeculation => _scheduler.NoSpeculation;

    private int Longest => Math.Min(Model.ContextSize, Model.TrainedContext);

    /// <inheritdoc/>
    public async IAsyncEnumerable<GeneratedToken> GenerateAsync(
        GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        cancellationToken.ThrowIfCancellationRequested();
        RequireLogits();
        CheckTokens(request.Prompt, "The prompt");
        CheckSampling(request);
        if (request.Prompt.Count >= Longest)
        {
            throw new InferenceException(
                InferenceError.ContextOverflow,
                $"The prompt has {request.Prompt.Count} tokens, and the context of {Model.Name} takes {Longest}, the answer included.",
                "Shorten the prompt, or open the model with a larger context.");
        }

        foreach (var position in request.Checkpoints)
        {
            if (position < 1 || position > request.Prompt.Count)
            {
                throw new InferenceException(
                    InferenceError.BadRequest, $"A checkpoint lies at 1 to {request.Prompt.Count}, the prompt's length, not at {position}.");
            }
        }

        var budget = Math.Min(request.MaxTokens, Longest - request.Prompt.Count);
        var guide = request.Constraint is { } constraint ? new ConstraintGuide(constraint.Start(), Tokenizer, _splitter) : null;
        var work = new Generation(request, budget, Tokenizer, _sampler, guide, _time);
        Submit([work]);
        try
        {
            while (await work.Answer.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                while (work.Answer.TryRead(out var token))
                {
                    yield return token;
                }
            }
        }
        finally
        {
            Withdraw([work]);
        }
    }

    /// <inheritdoc/>
    public async Task<ScoreResult> ScoreAsync(ScoreRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        RequireLogits();
        foreach (var sequence in request.Sequences)
        {
            CheckTokens(sequence.Prefix, "A prefix");
            CheckTokens(sequence.Continuation, "A continuation");
            CheckLength(sequence.Prefix.Count + sequence.Continuation.Count - 1);
        }

        if (request.Sequences.Count == 0)
        {
            return new ScoreResult([], 0, 0);
        }

        cancellationToken.ThrowIfCancellationRequested();
        var job = new ScoreJob(request, Model.CanCut);
        Submit(job.Branches);
        try
        {
            return await job.Result.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Withdraw(job.Branches);
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<float[]>> EmbedAsync(
        IReadOnlyList<int[]> inputs, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        if (!Model.Embeddings)
        {
            throw new InferenceException(
                InferenceError.BadRequest, $"{Model.Name} was not opened for embeddings.", "Open it once more with embeddings on.");
        }

        foreach (var input in inputs)
        {
            CheckTokens(input, "A text");
            CheckLength(input.Length);
            if (input.Length > Model.BatchSize)
            {
                throw new InferenceException(
                    InferenceError.ContextOverflow,
                    $"A text of {input.Length} tokens cannot be embedded at once; the batch takes {Model.BatchSize}.",
                    "Split the text, or open the model with a larger batch.");
            }
        }

        if (inputs.Count == 0)
        {
            return [];
        }

        var works = inputs.Select(i => new Embedding(i, Model.EmbeddingLength)).ToArray();
        cancellationToken.ThrowIfCancellationRequested();
        Submit(works);
        try
        {
            return await Task.WhenAll(works.Select(w => w.Result)).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Withdraw(works);
        }
    }

    /// <inheritdoc/>
    public async Task RemoveAdapterAsync(string name, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() => _scheduler.Retire(name, done));
        await done.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public EngineStatistics GetStatistics() => Volatile.Read(ref _statistics);

    /// <summary>Compares the KV tree with the driver's cells, and the draft model's with its own.</summary>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    /// <returns>What does not agree; empty where no cell is lost.</returns>
    public Task<IReadOnlyList<string>> AuditAsync(CancellationToken cancellationToken = default) =>
        OnLoopAsync(_scheduler.Audit, cancellationToken);

    /// <summary>Drops everything from the cache that no request works on.</summary>
    /// <param name="cancellationToken">Stops waiting for it.</param>
    public Task ClearCacheAsync(CancellationToken cancellationToken = default) =>
        OnLoopAsync(
            () =>
            {
                _scheduler.ClearCache();
                return true;
            },
            cancellationToken);

    /// <summary>Ends all requests, then the thread, then the driver.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _closing = true;
            Monitor.Pulse(_gate);
        }

        _driver.RequestAbort();
        _draft?.RequestAbort();
        await _ended.Task.ConfigureAwait(false);
    }

    private static InferenceException Closed(string model) =>
        new(InferenceError.Closed, $"The engine of {model} was closed.");

    private async Task<T> OnLoopAsync<T>(Func<T> action, CancellationToken cancellationToken)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try
            {
                result.TrySetResult(action());
            }
            catch (Exception error)
            {
                result.TrySetException(error);
            }
        });
        return await result.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private void Submit(IReadOnlyList<Work> works)
    {
        if (Interlocked.Increment(ref _requests) > _options.MaxRequests)
        {
            Interlocked.Decrement(ref _requests);
            throw new InferenceException(
                InferenceError.QueueFull,
                $"{Model.Name} already has {_options.MaxRequests} unfinished requests.",
                "Try again later, or raise the most requests.");
        }

        var now = _time.GetTimestamp();
        try
        {
            Post(() =>
            {
                foreach (var work in works)
                {
                    work.Arrival = now;
                    _scheduler.Enqueue(work);
                }
            });
        }
        catch (InferenceException)
        {
            Interlocked.Decrement(ref _requests);
            throw;
        }
    }

    /// <summary>Called when a caller stops waiting, whether its work is done or not.</summary>
    private void Withdraw(IReadOnlyList<Work> works)
    {
        Interlocked.Decrement(ref _requests);
        foreach (var work in works)
        {
            work.Cancel();
        }

        // A batch that nobody wants any more is not worth finishing.
        var batch = _scheduler.InFlight;
        if (batch.Count > 0 && batch.All(w => w.Cancelled))
        {
            _driver.RequestAbort();
        }
    }

    private void Post(Action action)
    {
        lock (_gate)
        {
            if (_closing)
            {
                throw Closed(Model.Name);
            }

            _inbox.Add(action);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>
    /// Waits for something to do. Requests of agents that answer at the same time come within microseconds of one another;
    /// those that follow the first at once shall be in its first batch.
    /// </summary>
    private void Await()
    {
        if (_inbox.Count > 0 || _scheduler.HasWork || _closing)
        {
            return;
        }

        while (_inbox.Count == 0 && !_closing)
        {
            Monitor.Wait(_gate);
        }

        int count;
        do
        {
            count = _inbox.Count;
            Monitor.Exit(_gate);
            Thread.SpinWait(GatherSpins);
            Monitor.Enter(_gate);
        }
        while (_inbox.Count > count && !_closing);
    }

    private void Run()
    {
        var letters = new List<Action>();
        while (true)
        {
            lock (_gate)
            {
                Await();
                (letters, _inbox) = (_inbox, letters);
            }

            letters.ForEach(l => l());
            letters.Clear();
            if (Volatile.Read(ref _closing))
            {
                break;
            }

            try
            {
                _scheduler.Step();
            }
            catch (Exception error)
            {
                _scheduler.FailAll(new InferenceException(
                    InferenceError.DriverFailed, $"The engine of {Model.Name} failed: {error.Message}", "See the log.", error));
            }

            Volatile.Write(ref _statistics, _scheduler.GetStatistics());
        }

        _scheduler.FailAll(Closed(Model.Name));
        SaveToDisk();
        _draft?.Dispose();
        _driver.Dispose();
        _ended.TrySetResult();
    }

    private void SaveToDisk()
    {
        try
        {
            _scheduler.Tree.SaveToDisk();
        }
        catch (Exception error)
        {
            // The next start computes what it would have found; this end must not fail for it.
            LogNotSaved(error.Message);
        }

        _disk?.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What the cache held was not saved: {Reason}")]
    private partial void LogNotSaved(string reason);

    private void RequireLogits()
    {
        if (Model.Embeddings)
        {
            throw new InferenceException(
                InferenceError.BadRequest, $"{Model.Name} was opened for embeddings and cannot generate.", "Open it once more without.");
        }
    }

    private void CheckTokens(IReadOnlyList<int> tokens, string what)
    {
        if (tokens.Count == 0)
        {
            throw new InferenceException(InferenceError.BadRequest, $"{what} is empty.");
        }

        foreach (var token in tokens)
        {
            if (token < 0 || token >= Tokenizer.Size)
            {
                throw new InferenceException(
                    InferenceError.BadRequest, $"{what} has the token {token}, and {Model.Name} has tokens 0 to {Tokenizer.Size - 1}.");
            }
        }
    }

    private void CheckLength(int length)
    {
        if (length > Longest)
        {
            throw new InferenceException(
                InferenceError.ContextOverflow,
                $"A text has {length} tokens, and the context of {Model.Name} takes {Longest}.",
                "Shorten it, or open the model with a larger context.");
        }
    }

    private static void CheckSampling(GenerationRequest request)
    {
        var o = request.Sampling;
        Require(request.MaxTokens >= 1, "The most tokens", request.MaxTokens, "at least 1");
        Require(o.Temperature is >= 0 and <= 10, "The temperature", o.Temperature, "0 to 10");
        Require(o.TopP is > 0 and <= 1, "Top-p", o.TopP, "over 0, to 1");
        Require(o.TopK >= 0, "Top-k", o.TopK, "0 or more");
        Require(o.MinP is >= 0 and <= 1, "Min-p", o.MinP, "0 to 1");
        Require(o.FrequencyPenalty is >= -2 and <= 2, "The frequency penalty", o.FrequencyPenalty, "−2 to 2");
        Require(o.PresencePenalty is >= -2 and <= 2, "The presence penalty", o.PresencePenalty, "−2 to 2");
        Require(o.TopLogProbabilities is >= 0 and <= 20, "The number of alternatives", o.TopLogProbabilities, "0 to 20");

        static void Require(bool holds, string what, object value, string range)
        {
            if (!holds)
            {
                throw new InferenceException(InferenceError.BadRequest, FormattableString.Invariant($"{what} is {value}, and must be {range}."));
            }
        }
    }
}
