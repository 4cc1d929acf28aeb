using Orchestrator.Core.Models;

namespace Orchestrator.Inference.Scheduling;

/// <summary>A text being embedded: the mean over its tokens, normalised to length 1.</summary>
internal sealed class Embedding(IReadOnlyList<int> tokens, int length) : Work(new ModelRequest(), tokens)
{
    private readonly TaskCompletionSource<float[]> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly double[] _sum = new double[length];
    private int _next;

    /// <summary>The vector, once it is there.</summary>
    public Task<float[]> Result => _result.Task;

    /// <inheritdoc/>
    public override bool InOneBatch => true;

    /// <inheritdoc/>
    public override int NextOutput => _next;

    /// <inheritdoc/>
    public override int Keep => 0;

    /// <inheritdoc/>
    public override bool IsPromptEnd(int position) => false;

    /// <inheritdoc/>
    public override bool WantsOutput(int position) => true;

    /// <inheritdoc/>
    public override void Accept(int position, ReadOnlySpan<float> output)
    {
        for (var i = 0; i < _sum.Length; i++)
        {
            _sum[i] += output[i];
        }

        if (++_next == Tokens.Count)
        {
            var norm = Math.Sqrt(_sum.Sum(v => v * v));
            _result.TrySetResult([.. _sum.Select(v => norm > 0 ? (float)(v / norm) : 0f)]);
            Done = true;
        }
    }

    /// <inheritdoc/>
    public override void Fail(Exception error)
    {
        Done = true;
        _result.TrySetException(error);
    }

    /// <inheritdoc/>
    public override void CountReused(int tokens)
    {
    }

    /// <inheritdoc/>
    public override void CountComputed(int tokens)
    {
    }
}
