namespace Incident.Generator.Faults;

/// <summary>Somebody empties the cache, and everybody asks the database at once.</summary>
internal sealed class CacheFlush : Fault
{
    public override IReadOnlyList<string> Roots => ["cache"];

    public override string Cause => "The cache was emptied by hand and evicts what is put back; all reads go to the database, which is slow for everybody.";

    protected override void Prepare()
    {
        RootCause(Scene.Machine("cache-1", Onset - 9, "sudo", "operator : TTY=pts/0 ; USER=root ; COMMAND=/usr/bin/redis-cli FLUSHALL"));
        RootCause(Scene.Say("cache", Onset - 8, Level.Info, "DB 0: flushed by client addr=127.0.0.1, 41877 keys removed"));
        Repeat(Onset + 10, 60, t => Mechanism(Scene.Say("cache", t, Level.Debug, $"DB 0: {Random.Next(300, 2100)} keys ({Random.Next(200, 300)} volatile) in 65536 slots HT.")));
    }

    public override bool InCache(double at, bool usually) => usually && !(Active(at) && Random.Chance(0.92 - 0.4 * Ramp(at, 1500)));

    public override Effect OnQuery(Call query) => !Active(query.At) ? default
        : query.Operation == "products" ? new Effect(Random.Exponential(2100)) : new Effect(Random.Exponential(700));
}

/// <summary>A service asks a third party more often than it may.</summary>
internal sealed class RateLimit : Fault
{
    public override IReadOnlyList<string> Roots => ["payments", "fulfilment"];

    public override string Cause => $"A configuration reload made {Root} poll its {Partner} every second, which answers with 429 to everything since.";

    private string Partner => Root == "payments" ? "acquirer" : "carrier";

    protected override void Prepare()
    {
        for (var i = 1; i <= 2; i++)
        {
            RootCause(Scene.Say(Root, Onset - 70 + i, Level.Info, "configuration reloaded: statusPoller.interval 60s -> 1s", host: $"{Root}-{i}"));
        }

        Repeat(Onset - 60, 20, t => Mechanism(Scene.Say(Root, t, Level.Info, "status poll finished", fields: [("open", Random.Next(20, 60)), ("durationMs", Random.Next(80, 200))])));
        if (Root == "fulfilment")
        {
            Repeat(Onset + 200, 60, t => Mechanism(Scene.Say("inventory", t, Level.Warn, $"reservation of order {Random.Next(400_000, 900_000)} expired, nobody took the goods", source: "inventory.stock")));
        }

        Repeat(Onset, 40, t => Mechanism(Scene.Say(Root, t, Level.Warn, $"{Partner} quota: 0 of 600 calls left this minute")));
    }

    public override Effect OnOutside(Call call) => call.Callee == Partner && Active(call.At) && Random.Chance(0.6)
        ? new Effect(40, CallerError: $"{Partner} answered 429 Too Many Requests")
        : default;
}
