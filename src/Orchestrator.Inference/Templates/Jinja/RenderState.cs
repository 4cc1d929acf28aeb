using System.Runtime.CompilerServices;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>One rendering: what it may see, and what it has used of its limits.</summary>
internal sealed class RenderState
{
    private const long StepsBetweenLooks = 4096;

    private readonly TemplateLimits _limits;
    private readonly CancellationToken _cancellation;
    private readonly long _start;
    private long _steps;
    private long _nextLook = StepsBetweenLooks;
    private int _depth;

    public RenderState(TemplateLimits limits, TimeProvider time, CancellationToken cancellation)
    {
        _limits = limits;
        _cancellation = cancellation;
        Time = time;
        _start = time.GetTimestamp();
    }

    public TimeProvider Time { get; }

    public int MaxTextLength => _limits.MaxTextLength;

    /// <summary>Counts work: one step for an expression, an item, or 8 characters of text made.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Charge(long steps = 1)
    {
        _steps += steps;
        if (_steps >= _nextLook)
        {
            Look();
        }
    }

    /// <summary>Counts a text that is about to be made, and refuses one that is too long.</summary>
    public void ChargeText(long length)
    {
        if (length > _limits.MaxTextLength)
        {
            throw TemplateFailure.Limit($"a text of {length} characters would be made; at most {_limits.MaxTextLength} are allowed");
        }

        Charge(1 + (length >> 3));
    }

    /// <summary>Counts a text that was made.</summary>
    public string Made(string text)
    {
        ChargeText(text.Length);
        return text;
    }

    /// <summary>Counts a list that is about to be made.</summary>
    public void ChargeItems(long count) => Charge(1 + count);

    public void EnterCall()
    {
        if (++_depth > _limits.MaxCallDepth)
        {
            throw TemplateFailure.Limit($"macros and loops call each other more than {_limits.MaxCallDepth} deep");
        }

        CheckStack();
    }

    public void LeaveCall() => _depth--;

    /// <summary>Refuses to go deeper into nested values than the stack allows.</summary>
    public static void CheckStack()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw TemplateFailure.Limit("values or expressions are nested too deep");
        }
    }

    private void Look()
    {
        _nextLook = _steps + StepsBetweenLooks;
        _cancellation.ThrowIfCancellationRequested();
        if (_steps > _limits.MaxSteps)
        {
            throw TemplateFailure.Limit($"rendering took more than {_limits.MaxSteps} steps");
        }

        if (Time.GetElapsedTime(_start) > _limits.MaxTime)
        {
            throw TemplateFailure.Limit($"rendering took longer than {_limits.MaxTime.TotalSeconds} s");
        }
    }
}
