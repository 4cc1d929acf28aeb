namespace Incident.Generator.Faults;

/// <summary>A reloaded configuration leaves a service with too few database connections.</summary>
internal sealed class PoolExhaustion : Fault
{
    public override IReadOnlyList<string> Roots => ["checkout", "inventory", "catalog"];

    public override string Cause => $"A configuration reload cut {Root}'s database connection pool from 40 to 4, so requests wait for a connection.";

    protected override void Prepare()
    {
        for (var i = 1; i <= 2; i++)
        {
            RootCause(Scene.Say(Root, Onset - 20 + i, Level.Info, "configuration reloaded: db.pool.max 40 -> 4", host: $"{Root}-{i}"));
        }

        for (var i = 0; i < 24; i++)
        {
            Mechanism(Scene.Say("orders-db", Onset - 15 + i * 0.4, Level.Info, $"disconnection: session time: 2:{Random.Next(10, 59)}:{Random.Next(10, 59)} user={Root} database=shop", source: Root, fields: ("pid", Random.Next(200, 400))));
        }

        Repeat(Onset + 5, 60, t => Mechanism(Scene.Say(Root, t, Level.Info, "pool statistics", fields: [("total", 4), ("active", 4), ("waiting", Random.Next(4, 19))])));
    }

    public override Effect OnCall(Call call)
    {
        if (call.Callee != Root || !Active(call.At))
        {
            return default;
        }

        return Random.Chance(0.22)
            ? new Effect(3000, "timed out after 3000 ms waiting for a database connection")
            : new Effect(Random.Exponential(1500));
    }
}

/// <summary>A release or an operator points a service's resolver at a machine that no longer answers.</summary>
internal sealed class NameResolution : Fault
{
    public override IReadOnlyList<string> Roots => ["payments", "checkout", "catalog", "fulfilment"];

    public override string Cause => $"The resolver configuration of {Root}'s machines was changed to a name server that does not answer.";

    protected override void Prepare()
    {
        for (var i = 1; i <= 2; i++)
        {
            RootCause(Scene.Machine($"{Root}-{i}", Onset - 12 + i, "systemd-resolved[480]", "Reloaded /etc/systemd/resolved.conf.d/50-dns.conf: DNS=10.0.0.53 replaced by DNS=10.0.7.53"));
        }

        Repeat(Onset + 2, 110, t => Mechanism(Scene.Machine(Scene.Host(Root), t, "systemd-resolved[480]", "Using degraded feature set UDP instead of UDP+EDNS0 for DNS server 10.0.7.53.")));
    }

    public override Effect OnCall(Call call) => call.Callee == Root ? Lookup(call.At, 0.3) : default;

    private Effect Lookup(double at, double p) => !Active(at) ? default
        : Random.Chance(p) ? new Effect(2000, Root == "checkout" ? "java.net.UnknownHostException: orders-db.internal: Temporary failure in name resolution" : "lookup orders-db.internal: temporary failure in name resolution")
        : new Effect(Random.Chance(0.4) ? Random.Between(900, 2400) : 0);
}

/// <summary>A feature flag sends part of the requests through code that fails.</summary>
internal sealed class FeatureFlag : Fault
{
    public override IReadOnlyList<string> Roots => ["checkout", "catalog", "payments", "inventory"];

    public override string Cause => $"The flag bundle-pricing was switched on for half of the requests in {Root}, whose new code fails on items without a bundle.";

    protected override void Prepare()
    {
        for (var i = 1; i <= 2; i++)
        {
            RootCause(Scene.Say(Root, Onset - 4 + i, Level.Info, "flag bundle-pricing changed: off -> on (50 %)", host: $"{Root}-{i}"));
        }
    }

    public override Effect OnCall(Call call) => call.Callee == Root && Active(call.At) && Random.Chance(0.4)
        ? new Effect(Random.Between(2, 20), "bundle is null in BundlePricing.apply")
        : default;
}

/// <summary>The consumer of the queue is left with one worker of eight.</summary>
internal sealed class QueueBacklog : Fault
{
    public override IReadOnlyList<string> Roots => ["fulfilment"];

    public override string Cause => "A configuration reload cut fulfilment's consumers from 8 to 1, the queue filled up, and publishing orders blocks.";

    protected override void Prepare()
    {
        for (var i = 1; i <= 2; i++)
        {
            RootCause(Scene.Say(Root, Onset - 30 + i, Level.Info, "configuration reloaded: queue.consumers 8 -> 1", host: $"{Root}-{i}"));
        }

        Repeat(Onset, 50, t => Mechanism(Scene.Say(Root, t, Level.Info, "Queue orders checked", fields: [("Depth", (int)(40 + (t - Onset) / 3)), ("Consumers", 1)])));
        Repeat(Onset + 240, 30, t => Mechanism(Scene.Say("checkout", t, Level.Warn, $"Publishing to queue orders blocked for {Random.Next(800, 4000)} ms: queue is at its limit", source: "c.s.checkout.queue.Publisher")));
    }

    public override double QueueDelay(double at, double usual) => Active(at) ? usual + (at - Onset) * 0.5 : usual;

    public override Effect OnCall(Call call)
    {
        // Publishing is the last thing that placing an order does.
        if (call.Callee != "checkout" || call.Operation != "place" || call.At < Onset + 240)
        {
            return default;
        }

        return Random.Chance(0.3) ? new Effect(4000, "com.shop.checkout.queue.PublishException: queue orders is at its limit") : new Effect(Random.Exponential(1800));
    }
}
