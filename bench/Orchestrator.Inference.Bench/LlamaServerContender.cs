using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Orchestrator.Inference.Benchmarks;

namespace Orchestrator.Inference.Bench;

/// <summary>
/// llama-server as people run it: a slot for each agent, which it gives to the request whose prompt begins most alike.
/// It is started for each run and stopped behind it.
/// </summary>
/// <param name="program">The program's path.</param>
/// <param name="model">The model.</param>
/// <param name="sharing">Whether prompts are laid out so that agents share their beginnings.</param>
internal sealed class LlamaServerContender(string program, BenchmarkModel model, bool sharing)
    : Contender(sharing ? "llama-server, shared layout" : "llama-server", model.Time)
{
    private const int KeptLines = 20;
    private static readonly TimeSpan ReadyPoll = TimeSpan.FromMilliseconds(50);
    private readonly Queue<string> _lastLines = new();
    private Process? _process;
    private LlamaServerClient? _client;
    private int _computed;

    protected override int CountComputed(int sampled) => _computed;

    protected override async Task OpenAsync(Workload workload, CancellationToken cancellationToken)
    {
        var address = FreeAddress();
        _computed = 0;
        _process = Start(address, workload);
        _client = Connect(address);
        while (!await _client.IsReadyAsync(cancellationToken))
        {
            if (_process.HasExited)
            {
                throw new InvalidOperationException($"{program} ended with {_process.ExitCode}:\n{string.Join('\n', _lastLines)}");
            }

            await Task.Delay(ReadyPoll, model.Time, cancellationToken);
        }
    }

    protected override async ValueTask CloseAsync()
    {
        _client?.Dispose();
        _client = null;
        if (_process is { } process)
        {
            AppDomain.CurrentDomain.ProcessExit -= Kill;
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
            _process = null;
        }
    }

    protected override Func<int, IEnumerable<int>> PrefixOf(Texts texts) => sharing ? _ => texts.Shared : texts.PrefixOf;

    protected override Task<Answer[]> AnswerAsync(IReadOnlyList<(int Agent, int[] Prompt)> asked, CancellationToken cancellationToken) =>
        Task.WhenAll(asked.Select(async question =>
        {
            var answer = await _client!.CompleteAsync(question.Prompt, Workload.Answer, cancellationToken);
            Interlocked.Add(ref _computed, answer.Computed);
            return new Answer(answer.Tokens, answer.FirstToken);
        }));

    // The server is a process of its own, and new.
    protected override bool ResetPeak() => true;

    protected override long? ReadPeak() => PeakMemory.Read(_process!.Id.ToString(CultureInfo.InvariantCulture));

    private LlamaServerClient Connect(IPEndPoint address) => new(new Uri($"http://{address}/"), model.Time);

    private static IPEndPoint FreeAddress()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return (IPEndPoint)listener.LocalEndpoint;
    }

    private Process Start(IPEndPoint address, Workload workload)
    {
        var cells = workload.Agents * BenchmarkModel.RoundCells(workload.Longest);
        string[] arguments =
        [
            "-m", model.Path,
            "-c", Number(cells),
            "-np", Number(workload.Agents),
            "-t", Number(model.Threads),
            "-tb", Number(model.Threads),
            "--host", address.Address.ToString(),
            "--port", Number(address.Port),
        ];
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true },
        };
        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
        process.Start();
        AppDomain.CurrentDomain.ProcessExit += Kill;

        // Pipes that nobody empties would stop it.
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (_lastLines)
        {
            _lastLines.Enqueue(line.Data ?? "");
            if (_lastLines.Count > KeptLines)
            {
                _lastLines.Dequeue();
            }
        }
    }

    private void Kill(object? sender, EventArgs e) => _process?.Kill(entireProcessTree: true);
}
