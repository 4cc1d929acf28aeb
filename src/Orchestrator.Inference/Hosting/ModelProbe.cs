using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orchestrator.Core;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Native;
using Orchestrator.Inference.Store;

namespace Orchestrator.Inference.Hosting;

/// <summary>
/// Tries a file that was never loaded on this machine in a child process, since the native loader ends its process on
/// some broken files. A file that passes is remembered with its size and time of change, and not tried again. What the
/// child runs is <see cref="ModelProbeChild"/>; without <see cref="InferenceOptions.ProbeCommand"/> nothing is tried.
/// </summary>
public sealed class ModelProbe
{
    private const int SignalBase = 128;
    private const int KilledSignal = 9;
    private const int ErrorLines = 3;

    private readonly InferenceOptions _options;
    private readonly ModelStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger<ModelProbe> _logger;

    /// <summary>Creates a probe.</summary>
    /// <param name="options">Whether and how files are tried.</param>
    /// <param name="store">Remembers the files that passed.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told what the child writes to standard error.</param>
    public ModelProbe(IOptions<InferenceOptions> options, ModelStore store, TimeProvider time, ILogger<ModelProbe> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Value;
        _store = store;
        _time = time;
        _logger = logger;
    }

    /// <summary>Whether a model would be tried before it is loaded.</summary>
    /// <param name="model">The model's header.</param>
    /// <returns>False where trying is off, no command is set, the file passed before, or it is the catalogue's by its SHA-256.</returns>
    public bool IsDue(GgufModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return IsPossible && !_store.IsOfCatalogue(model.Path) && !_store.Known.Contains(Files(model), NativeFingerprint.GgmlCommit);
    }

    /// <summary>Loads a model and computes one token with it, in a child process; does nothing where that is off or not set up.</summary>
    /// <param name="model">The model's header, validated.</param>
    /// <param name="progress">Told the share that is loaded, 0 to 1; may be null.</param>
    /// <param name="cancellationToken">Ends the child.</param>
    /// <returns>Whether it was tried.</returns>
    /// <exception cref="OrchestratorException">The child died, hung, or could not load the model.</exception>
    public async Task<bool> TryAsync(GgufModel model, IProgress<float>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!IsPossible)
        {
            return false;
        }

        await RunAsync(Path.GetFullPath(model.Path), progress, cancellationToken).ConfigureAwait(false);
        await _store.Known.AddAsync([.. Files(model)], NativeFingerprint.GgmlCommit, cancellationToken).ConfigureAwait(false);
        return true;
    }

    private bool IsPossible => _options.ProbeUnknownModels && _options.ProbeCommand.Count > 0;

    private static IEnumerable<string> Files(GgufModel model) => model.Parts.Select(part => part.Path);

    private async Task RunAsync(string path, IProgress<float>? progress, CancellationToken cancellationToken)
    {
        using var process = Start(path);
        using var silence = new CancellationTokenSource(_options.ProbeSilence, _time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, silence.Token);
        using var ended = stop.Token.Register(() => Kill(process));
        var errors = ReadErrorsAsync(process.StandardError);
        var result = new ProbeLine();
        while (await process.StandardOutput.ReadLineAsync(CancellationToken.None).ConfigureAwait(false) is { } text)
        {
            silence.CancelAfter(_options.ProbeSilence);
            if (ProbeLine.Parse(text) is { } line)
            {
                progress?.Report(line.Loaded ?? 0);
                result = line;
            }
        }

        await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        if (result is { Error: { } error })
        {
            throw new OrchestratorException(ErrorKind.Model, error, result.Remedy);
        }

        if (silence.IsCancellationRequested)
        {
            throw new OrchestratorException(
                ErrorKind.Model, $"{path} was tried in a process of its own, which did not get any further for {_options.ProbeSilence.TotalSeconds:0} s.", Remedy());
        }

        if (process.ExitCode != 0 || !result.Passed)
        {
            throw Died(path, process.ExitCode, await errors.ConfigureAwait(false));
        }
    }

    private Process Start(string path)
    {
        var start = new ProcessStartInfo(_options.ProbeCommand[0], [.. _options.ProbeCommand.Skip(1), path])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            CreateNoWindow = true,
        };
        start.Environment["GGML_NO_BACKTRACE"] = "1";
        try
        {
            var process = Process.Start(start)!;
            process.StandardInput.Close();
            return process;
        }
        catch (Exception e) when (e is Win32Exception or IOException)
        {
            throw new OrchestratorException(
                ErrorKind.Configuration,
                $"The command that tries unknown models, {_options.ProbeCommand[0]}, can't be started: {e.Message}",
                "Set Orchestrator:ProbeCommand to one that can, or Orchestrator:ProbeUnknownModels to false.",
                e);
        }
    }

    // The pipe must be emptied, or the child would wait; the last lines are what it died of.
    private async Task<IReadOnlyCollection<string>> ReadErrorsAsync(StreamReader reader)
    {
        var last = new Queue<string>();
        while (await reader.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            _logger.LogDebug("Child: {Line}", line);
            last.Enqueue(line.Trim());
            if (last.Count > ErrorLines)
            {
                last.Dequeue();
            }
        }

        return last;
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It has ended by itself.
        }
    }

    private static OrchestratorException Died(string path, int exitCode, IReadOnlyCollection<string> errors)
    {
        var signal = OperatingSystem.IsWindows() ? 0 : exitCode - SignalBase;
        var how = signal > 0 ? $"signal {signal}{SignalName(signal)}" : OperatingSystem.IsWindows() ? $"exit code 0x{exitCode:X8}" : $"exit code {exitCode}";
        var why = errors.Count > 0 ? $" ({string.Join(" ", errors)})" : "";
        return new OrchestratorException(
            ErrorKind.Model,
            $"{path} was tried in a process of its own, which ended with {how}{why}.",
            signal == KilledSignal ? "The system ends what takes too much memory: free some, or use a smaller model." : Remedy());
    }

    private static string Remedy() =>
        "The file is damaged or made for another llama.cpp: pull or convert it again. To load it all the same, set Orchestrator:ProbeUnknownModels to false.";

    private static string SignalName(int signal) => signal switch
    {
        4 => ", illegal instruction",
        6 => ", abort",
        7 => ", bus error",
        8 => ", arithmetic error",
        KilledSignal => ", killed",
        11 => ", segmentation fault",
        _ => "",
    };
}

/// <summary>A line that the child tells its parent.</summary>
internal sealed record ProbeLine(float? Loaded = null, bool Passed = false, string? Error = null, string? Remedy = null)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    internal static ProbeLine? Parse(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<ProbeLine>(text, Json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public override string ToString() => JsonSerializer.Serialize(this, Json);
}
