using Microsoft.SemanticKernel;
using Orchestrator.Core.Plugins;

namespace SamplePlugin;

/// <summary>Refuses to be made or to close, or never comes to an end of it, where the run tells it to.</summary>
public sealed class Grumpy : IDisposable
{
    private readonly PluginContext _context;

    public Grumpy(PluginContext context)
    {
        _context = context;
        if (context.Inputs.ContainsKey("grumpy"))
        {
            throw new InvalidOperationException("not today");
        }

        if (context.Inputs.ContainsKey("sleepy"))
        {
            Thread.Sleep(Timeout.Infinite);
        }
    }

    public void Dispose()
    {
        if (_context.Inputs.ContainsKey("whiny"))
        {
            throw new InvalidOperationException("not yet");
        }

        if (_context.Inputs.ContainsKey("stubborn"))
        {
            using var never = new ManualResetEventSlim();
            never.Wait();
        }
    }

    [KernelFunction("mood")]
    public string Mood() => "fine";
}
