namespace Orchestrator.Core.Runs;

/// <summary>Adds up what a run used from its events. Not safe to use from several threads at once.</summary>
public sealed class RunMeter
{
    private int _modelCalls;
    private int _choices;
    private int _toolCalls;
    private long _computed;
    private long _reused;
    private long _generated;

    /// <summary>The tokens computed so far, prompts and answers.</summary>
    public long Tokens => _computed + _generated;

    /// <summary>The tools called so far.</summary>
    public int ToolCalls => _toolCalls;

    /// <summary>Counts an event.</summary>
    /// <param name="runEvent">The event.</param>
    public void Add(RunEvent runEvent)
    {
        switch (runEvent)
        {
            case ModelCalled { Call: var call }:
                _modelCalls++;
                _computed += call?.ComputedTokens ?? 0;
                _reused += call?.ReusedTokens ?? 0;
                _generated += call?.TokenIds.Count ?? 0;
                break;
            case ChoiceMade choice:
                _choices++;
                _computed += choice.ComputedTokens;
                _reused += choice.ReusedTokens;
                break;
            case ToolCalled:
                _toolCalls++;
                break;
        }
    }

    /// <summary>The sum so far.</summary>
    /// <param name="duration">Wall time of the run.</param>
    /// <returns>What was used.</returns>
    public RunUsage Total(TimeSpan duration) =>
        new(_modelCalls, _choices, _toolCalls, _computed, _reused, _generated, duration);
}
