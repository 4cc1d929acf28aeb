namespace Incident.Generator.Faults;

/// <summary>A certificate runs out because its renewal failed days ago.</summary>
internal sealed class CertificateExpiry : Fault
{
    public override IReadOnlyList<string> Roots => ["inventory", "payments", "catalog"];

    public override string Cause => $"{Root}'s server certificate ran out; its renewal had failed.";

    protected override void Prepare()
    {
        var end = Scene.Start.AddSeconds(Onset);
        RootCause(Scene.Machine($"{Root}-1", Random.Between(20, 300), "certbot[3120]", $"Failed to renew certificate {Root}.internal: challenge did not pass, keeping the one valid until {end:yyyy-MM-ddTHH:mm:ssZ}"));
        Mechanism(Scene.Say(Root, Onset + 1, Level.Warn, $"TLS certificate {Root}.internal not valid after {end:yyyy-MM-ddTHH:mm:ssZ}", host: $"{Root}-1"));
        Repeat(Onset + 4, 50, t => Mechanism(Scene.Say(Root, t, Level.Info, $"TLS handshake with 10.0.2.{Random.Next(2, 30)} not completed: peer sent alert 45")));
    }

    public override Effect OnCall(Call call) => call.Callee == Root && Active(call.At) && Random.Chance(0.55)
        ? new Effect(Random.Between(5, 30), CallerError: "TLS handshake failed: certificate expired, connection reset")
        : default;
}

/// <summary>A disk fills up under a service that must write.</summary>
internal sealed class DiskFull : Fault
{
    public override IReadOnlyList<string> Roots => ["orders-db", "fulfilment", "payments"];

    public override string Cause => $"A debug dump filled the disk of {Root}, which can no longer write.";

    protected override void Prepare()
    {
        var host = $"{Root}-1";
        RootCause(Scene.Machine(host, Onset - 420, "dumpd[871]", "started packet capture to /var/lib/dump/trace.pcap without size limit"));
        for (var i = 0; i < 6; i++)
        {
            Mechanism(Scene.Machine(host, Onset - 330 + 60 * i, "node-monitor[540]", $"filesystem /var/lib usage {88 + 2 * i + (i == 5 ? 2 : 0)} %"));
        }

        Repeat(Onset, 45, t => Mechanism(Scene.Say(Root, t, Level.Error, Root == "orders-db" ? "could not extend file \"base/16384/16421\": No space left on device" : "could not write journal: no space left on device")));
    }

    public override Effect OnQuery(Call query) => Root == "orders-db" && Active(query.At) && query.Caller != "catalog" && Random.Chance(0.45)
        ? new Effect(20, "could not extend file \"base/16384/16421\": No space left on device")
        : default;

    public override Effect OnCall(Call call) => call.Callee == Root && Root != "orders-db" && Active(call.At) && Random.Chance(0.5)
        ? new Effect(20, "could not write journal: no space left on device")
        : default;
}

/// <summary>The clocks of a service's machines run away, and what it signs is not valid yet for the others.</summary>
internal sealed class ClockSkew : Fault
{
    private double _off;

    public override IReadOnlyList<string> Roots => ["payments", "inventory", "catalog"];

    public override string Cause => $"The clocks of {Root}'s machines are {_off:0} s ahead since their time source was lost; the tokens they sign are not valid yet elsewhere.";

    protected override void Prepare()
    {
        _off = Random.Between(70, 200);
        for (var i = 1; i <= 2; i++)
        {
            RootCause(Scene.Machine($"{Root}-{i}", Onset - 40 + i, "chronyd[611]", "Can't synchronise: no selectable sources"));
            Mechanism(Scene.Machine($"{Root}-{i}", Onset + i, "chronyd[611]", $"System clock wrong by {-_off:0.000000} seconds"));
        }

        Repeat(Onset + 30, 60, t => Mechanism(Scene.Say("orders-db", t, Level.Warn, $"token of role {Root} rejected: issued {_off + Random.Between(-2, 2):0} s in the future", source: Root)));
    }

    public override Effect OnCall(Call call)
    {
        if (call.Callee != Root || !Active(call.At))
        {
            return default;
        }

        if (Scene.SkewOf(Root) == 0)
        {
            Scene.Skew(Root, _off);
        }

        return Random.Chance(0.45) ? new Effect(Random.Between(5, 40), "token rejected: not valid before a time in the future") : default;
    }
}

/// <summary>A service stops closing connections until it may open no more files.</summary>
internal sealed class DescriptorLeak : Fault
{
    public override IReadOnlyList<string> Roots => ["edge", "catalog", "payments"];

    public override string Cause => $"{Root} no longer closes its connections and has used up its file descriptors.";

    protected override void Prepare()
    {
        RootCause(Scene.Say(Root, Onset - 400, Level.Info, "configuration reloaded: upstream.keepAliveTimeout 60s -> never", host: $"{Root}-1"));
        Repeat(Onset - 300, 60, t => Mechanism(Scene.Machine($"{Root}-1", t, "node-monitor[540]", $"process {Root} holds {Math.Min(1024, (int)(300 + (t - Onset + 400) * 1.8))} of 1024 file descriptors")));
    }

    public override Effect OnCall(Call call) => call.Callee == Root && Active(call.At) && Random.Chance(0.35)
        ? Random.Chance(0.5) ? new Effect(3, "accept4() failed (24: Too many open files)") : new Effect(8, CallerError: "connection refused")
        : default;
}

/// <summary>A backup that was moved to the busy hour takes the database's disk.</summary>
internal sealed class BackupLoad : Fault
{
    public override IReadOnlyList<string> Roots => ["orders-db", "cache"];

    public override string Cause => $"A full backup started by cron takes the disk of {Root}, and every answer of it is slow.";

    protected override void Prepare()
    {
        RootCause(Scene.Machine($"{Root}-1", Onset - 6, "CRON[7741]", "(backup) CMD (/usr/local/bin/full-backup --all)"));
        Repeat(Onset + 15, 70, t => Mechanism(Scene.Say(Root, t, Level.Info, Root == "cache" ? "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without waiting for fsync to complete" : $"checkpoint complete: wrote {Random.Next(200, 900)} buffers; write={Random.Between(150, 220):0.000} s, sync={Random.Between(20, 60):0.000} s")));
    }

    public override bool InCache(double at, bool usually) => usually && !(Root == "cache" && Active(at) && Random.Chance(0.75));

    public override Effect OnQuery(Call query) => !Active(query.At) ? default
        : Root == "orders-db" ? new Effect(Random.Exponential(1500))
        : query.Operation == "products" ? new Effect(Random.Exponential(1400)) : new Effect(Random.Exponential(350));
}

/// <summary>A start option gives a runtime with garbage collection too little memory.</summary>
internal sealed class CollectorPauses : Fault
{
    private readonly List<(double From, double To)> _pauses = [];

    public override IReadOnlyList<string> Roots => ["checkout", "fulfilment"];

    public override string Cause => $"{Root} was restarted with an eighth of its heap and spends its time in garbage collection pauses.";

    protected override void Prepare()
    {
        Release(Onset - 42, $"{Random.Next(2, 9)}.{Random.Next(10, 60)}.3");
        RootCause(Scene.Say(Root, Onset - 41.5, Level.Info, "runtime started: max heap 512 MB", host: $"{Root}-1"));
        Repeat(Onset, 14, t =>
        {
            var seconds = Random.Between(3, 9);
            _pauses.Add((t, t + seconds));
            Mechanism(Scene.Say(Root, t + seconds, Level.Info, $"GC pause (full) 507M->498M(512M) {seconds * 1000:0} ms", source: "gc"));
        });
    }

    public override Effect OnCall(Call call)
    {
        foreach (var (from, to) in _pauses)
        {
            if (call.Callee == Root && call.At >= from && call.At < to)
            {
                return new Effect((to - call.At) * 1000 + Random.Between(200, 2500));
            }
        }

        return default;
    }
}

/// <summary>A fan fails, and the processor of a machine protects itself by working slowly.</summary>
internal sealed class HotProcessor : Fault
{
    public override IReadOnlyList<string> Roots => ["orders-db", "inventory", "checkout", "payments", "catalog", "fulfilment"];

    public override string Cause => $"A fan of {Root}-1 failed and its processor is throttled; what runs there takes many times as long.";

    protected override void Prepare()
    {
        RootCause(Scene.Machine($"{Root}-1", Onset - Random.Between(100, 400), "ipmievd[590]", "Fan sensor FAN2 - Lower Critical - going low (Reading 0 < Threshold 1200 RPM)"));
        var events = 0;
        Repeat(Onset - 3, 42, t => Mechanism(Scene.Machine($"{Root}-1", t, "kernel", $"[{Random.Between(90000, 99999):0.000000}] CPU{Random.Next(0, 8)}: Core temperature is above threshold, cpu clock is throttled (total events = {events += Random.Next(100, 900)})")));
    }

    public override Effect OnCall(Call call) => call.Callee == Root && Active(call.At) && Random.Chance(0.5)
        ? new Effect(Random.Exponential(2400))
        : default;

    public override Effect OnQuery(Call query) => Root == "orders-db" && Active(query.At) ? new Effect(Random.Exponential(1300)) : default;
}
