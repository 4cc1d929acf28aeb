namespace Incident.Generator;

/// <summary>One service asks another, or a third party, or the database.</summary>
/// <param name="Caller">Who asks.</param>
/// <param name="Callee">Who is asked: a service, or "acquirer" or "carrier" outside.</param>
/// <param name="Operation">What is asked for; for a query, its table.</param>
/// <param name="At">When, in seconds after the start.</param>
/// <param name="RequestId">The request that it belongs to.</param>
internal sealed record Call(string Caller, string Callee, string Operation, double At, string RequestId);

/// <summary>What a fault does to a call.</summary>
/// <param name="ExtraMs">Added to its duration.</param>
/// <param name="CalleeError">What the callee logs and fails with; null when it doesn't fail.</param>
/// <param name="CallerError">What the caller sees without the callee having noticed the call; null when it gets through.</param>
internal readonly record struct Effect(double ExtraMs = 0, string? CalleeError = null, string? CallerError = null)
{
    public bool Fails => CalleeError is not null || CallerError is not null;
}

/// <summary>How a call ended, as its caller sees it.</summary>
/// <param name="Ms">How long the caller waited.</param>
/// <param name="Error">Why it failed; null when it succeeded.</param>
internal readonly record struct Outcome(double Ms, string? Error = null)
{
    public bool Ok => Error is null;
}
