namespace Incident.Generator.Faults;

/// <summary>A release asks the database once for each item instead of once for all.</summary>
internal sealed class QueryPerItem : Fault
{
    public override IReadOnlyList<string> Roots => ["catalog", "inventory", "checkout"];

    public override string Cause => $"The release of {Root} sends one query for each item, and the database is slow for everybody.";

    protected override void Prepare()
    {
        Release(Onset - 45, $"{Random.Next(2, 9)}.{Random.Next(10, 60)}.0");
        Repeat(Onset + 20, 40, t => Scene.Say("orders-db", t, Level.Warn, $"number of active backends is high: {Random.Next(78, 99)} of 100"));
    }

    public override Effect OnCall(Call call)
    {
        if (call.Callee != Root || !Active(call.At))
        {
            return default;
        }

        var pid = Random.Next(200, 400);
        for (var i = 0; i < Random.Next(4, 9); i++)
        {
            Mechanism(Scene.Say("orders-db", call.At + 0.02 + i * 0.06, Level.Info, $"duration: {Random.Between(30, 160):0.000} ms  statement: SELECT * FROM price_rules WHERE sku = 'SKU-{Random.Next(1000, 1600)}'", call.RequestId, Root, fields: ("pid", pid)));
        }

        return new Effect(Random.Between(500, 1900));
    }

    public override Effect OnQuery(Call query) => Active(query.At) ? new Effect(Random.Exponential(300 + 700 * Ramp(query.At, 400))) : default;
}

/// <summary>A release leaks memory until the kernel kills the process, again and again.</summary>
internal sealed class MemoryLeak : Fault
{
    private readonly List<(double From, double To)> _down = [];

    public override IReadOnlyList<string> Roots => ["catalog", "payments", "inventory", "fulfilment"];

    public override string Cause => $"The release of {Root} leaks memory; the kernel kills its processes, and requests fail while they restart.";

    protected override void Prepare()
    {
        var released = Onset - 330;
        Release(released, $"{Random.Next(2, 9)}.{Random.Next(10, 60)}.1");
        Repeat(released + 20, 45, t => Mechanism(Scene.Say(Root, t, Level.Info, "memory", fields: [("rss_mb", (int)(410 + (t - released) % 340 * 4.6)), ("limit_mb", 2048)])));
        Repeat(Onset - 8, 130, t =>
        {
            var host = Scene.Host(Root);
            var pid = Random.Next(1000, 9000);
            Mechanism(Scene.Machine(host, t, "kernel", $"[{Random.Between(90000, 99999):0.000000}] Out of memory: Killed process {pid} ({Root}) total-vm:4213044kB, anon-rss:2089112kB"));
            Scene.Machine(host, t + 0.4, "systemd[1]", $"{Root}.service: Main process exited, code=killed, status=9/KILL");
            Scene.Machine(host, t + 6, "systemd[1]", $"{Root}.service: Scheduled restart job, restart counter is at {1 + (int)((t - Onset) / 130)}.");
            var up = t + Random.Between(28, 45);
            Scene.Say(Root, up, Level.Info, "ready to serve", host: host);
            _down.Add((t, up));
        });
    }

    public override Effect OnCall(Call call) => call.Callee == Root && _down.Any(d => call.At >= d.From && call.At < d.To)
        ? Random.Chance(0.6) ? new Effect(CallerError: "connection refused") : new Effect(Random.Exponential(1600))
        : default;
}

/// <summary>A release writes messages that the consumer cannot read, and the queue hands them out for ever.</summary>
internal sealed class PoisonMessage : Fault
{
    public override IReadOnlyList<string> Roots => ["checkout"];

    public override string Cause => "The release of checkout publishes order messages in a new shape that fulfilment cannot read; they come back again and again.";

    protected override void Prepare()
    {
        Release(Onset - 42, $"{Random.Next(2, 9)}.{Random.Next(10, 60)}.0");
        RootCause(Scene.Say(Root, Onset, Level.Info, "publishing order messages with schema v4 (field lines replaces items)", source: "c.s.checkout.queue.Publisher"));
        Repeat(Onset + 60, 35, t => Mechanism(Scene.Say("fulfilment", t, Level.Warn, "Queue orders holds messages delivered more than 5 times", fields: [("Depth", (int)(10 + (t - Onset) / 6)), ("Consumers", 8)])));
        Repeat(Onset + 200, 45, t => Mechanism(Scene.Say("inventory", t, Level.Warn, $"reservation of order {Random.Next(400_000, 900_000)} expired, nobody took the goods", source: "inventory.stock")));
    }

    public override Effect OnCall(Call call)
    {
        if (call.Callee != "fulfilment" || !Active(call.At) || !Random.Chance(0.8))
        {
            return default;
        }

        for (var i = 1; i <= 3; i++)
        {
            Scene.Say("fulfilment", call.At + 4 * i, Level.Warn, "Message rejected and put back", call.RequestId, fields: ("Delivery", i));
        }

        return new Effect(0, "cannot read message: required property items is missing");
    }
}

/// <summary>A release changes the order in which rows are locked.</summary>
internal sealed class LockOrder : Fault
{
    public override IReadOnlyList<string> Roots => ["inventory", "checkout"];

    public override string Cause => $"The release of {Root} locks rows in another order than everybody else, and the database breaks deadlocks by failing queries.";

    protected override void Prepare() => Release(Onset - 45, $"{Random.Next(2, 9)}.{Random.Next(10, 60)}.2");

    public override Effect OnQuery(Call query)
    {
        if (!Active(query.At) || query.Caller is not ("inventory" or "checkout"))
        {
            return default;
        }

        var own = query.Caller == Root;
        if (Random.Chance(own ? 0.28 : 0.1))
        {
            Mechanism(Scene.Say("orders-db", query.At + 1.01, Level.Info, $"process {Random.Next(200, 400)} detected deadlock while waiting for ShareLock on transaction {Random.Next(70000, 99999)} after 1000.{Random.Next(100, 999)} ms", source: query.Caller, fields: ("pid", Random.Next(200, 400))));
            return new Effect(1010, "deadlock detected");
        }

        return new Effect(Random.Chance(0.4) ? Random.Between(200, 1000) : 0);
    }
}

/// <summary>A migration takes a lock that everybody else waits for.</summary>
internal sealed class SchemaMigration : Fault
{
    private string _table = "";
    private double _until;

    public override IReadOnlyList<string> Roots => ["inventory", "checkout", "catalog"];

    public override string Cause => $"{Root} runs a migration that rewrites the table {_table} under an exclusive lock; queries on it wait.";

    protected override void Prepare()
    {
        _table = Root switch { "inventory" => "stock", "checkout" => "orders", _ => "products" };
        _until = Onset + Random.Between(900, 1300);
        RootCause(Scene.Say(Root, Onset - 1, Level.Info, $"applying migration 0{Random.Next(41, 97)}_widen_{_table}_id", host: $"{Root}-1"));
        Mechanism(Scene.Say("orders-db", Onset + 2, Level.Info, $"duration: {Random.Between(1400, 2000):0.000} ms  statement: ALTER TABLE {_table} ALTER COLUMN id TYPE bigint", source: Root));
    }

    public override Effect OnQuery(Call query)
    {
        if (query.Operation != _table || query.At < Onset || query.At > _until)
        {
            return default;
        }

        if (Random.Chance(0.3))
        {
            Mechanism(Scene.Say("orders-db", query.At + 1, Level.Info, $"process {Random.Next(200, 400)} still waiting for RowExclusiveLock on relation {Random.Next(16400, 16500)} of database 16384 after 1000.{Random.Next(100, 999)} ms", source: query.Caller));
        }

        return new Effect(Random.Exponential(3200));
    }
}
