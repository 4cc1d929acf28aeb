namespace Incident.Generator.Faults;

/// <summary>A release leaves transactions open until the database has no connection left for anybody.</summary>
internal sealed class IdleTransactions : Fault
{
    public override IReadOnlyList<string> Roots => ["catalog", "inventory", "checkout"];

    public override string Cause => $"The release of {Root} leaves transactions open; their connections use up those of the database, for everybody.";

    protected override void Prepare()
    {
        Release(Onset - 260, $"{Random.Next(2, 9)}.{Random.Next(10, 60)}.4");
        Repeat(Onset - 210, 55, t => Mechanism(Scene.Say(Root, t, Level.Warn, $"connection held for {Random.Next(60, 400)} s, possible leak")));
        Repeat(Onset - 160, 14, t => Scene.Say("orders-db", t, Level.Info, $"connection authorized: user={Root} database=shop", source: Root, fields: ("pid", Random.Next(200, 900))));
        Repeat(Onset + 20, 45, t => Mechanism(Scene.Say("orders-db", t, Level.Error, "terminating connection due to idle-in-transaction timeout", source: Root, fields: ("pid", Random.Next(200, 900)))));
    }

    public override Effect OnQuery(Call query) => Active(query.At) && Random.Chance(0.1 + (0.3 * Ramp(query.At, 240)))
        ? new Effect(6, "sorry, too many clients already")
        : default;
}

/// <summary>The database gives up its leadership and from then on only answers reads.</summary>
internal sealed class ReadOnlyFailover : Fault
{
    public override IReadOnlyList<string> Roots => ["orders-db"];

    public override string Cause => "orders-db lost its lock as leader and was demoted; it takes no writes since.";

    protected override void Prepare()
    {
        RootCause(Scene.Machine("orders-db-1", Onset - 14, "patroni[812]", "failed to update leader lock, demoting self"));
        RootCause(Scene.Say("orders-db", Onset - 9, Level.Info, "received fast shutdown request"));
        RootCause(Scene.Say("orders-db", Onset - 1, Level.Info, "database system is ready to accept read-only connections"));
        Repeat(Onset + 10, 50, t => Mechanism(Scene.Machine("orders-db-1", t, "patroni[812]", "no action. I am (orders-db-1), a secondary, and following nobody")));
    }

    public override Effect OnQuery(Call query) => !Active(query.At) || query.Operation == "products" ? default
        : query.Operation == "stock" ? new Effect(4, "cannot execute UPDATE in a read-only transaction")
        : Random.Chance(0.6) ? new Effect(4, "cannot execute INSERT in a read-only transaction") : default;
}

/// <summary>A secret is renewed, and those who use the one before are refused.</summary>
internal sealed class KeyRotation : Fault
{
    public override IReadOnlyList<string> Roots => ["payments", "inventory", "orders-db"];

    public override string Cause => $"The secret of {Root} was renewed and the one before revoked, while its clients still use it.";

    protected override void Prepare()
    {
        for (var i = 1; i <= (Root == "orders-db" ? 1 : 2); i++)
        {
            RootCause(Scene.Machine($"{Root}-{i}", Onset - 6 + i, "vault-agent[655]", $"rendered shop/{Root}/access version 8, version 7 is revoked"));
        }
    }

    public override Effect OnCall(Call call)
    {
        if (call.Callee != Root || !Active(call.At) || !Random.Chance(0.5))
        {
            return default;
        }

        Mechanism(Scene.Say(Root, call.At + 0.004, Level.Warn, $"refused a call of {call.Caller}: signature made with a revoked key", call.RequestId));
        return new Effect(4, CallerError: "401 Unauthorized");
    }

    public override Effect OnQuery(Call query) => Root == "orders-db" && Active(query.At) && Random.Chance(0.4)
        ? new Effect(5, $"password authentication failed for user \"{query.Caller}\"")
        : default;
}
