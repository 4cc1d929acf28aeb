namespace Incident.Generator.Faults;

/// <summary>A network link of a service's machine goes down and comes back, again and again.</summary>
internal sealed class LinkFlap : Fault
{
    private readonly List<(double From, double To)> _down = [];

    public override IReadOnlyList<string> Roots => ["orders-db", "inventory", "payments", "catalog"];

    public override string Cause => $"The network link of {Root}-1 goes down and comes back; what is on its way then is lost.";

    protected override void Prepare()
    {
        RootCause(Scene.Machine($"{Root}-1", Onset - 30, "kernel", $"[{Random.Between(90000, 99999):0.000000}] ixgbe 0000:3b:00.0 eth0: NIC Link is Up 1 Gbps, Flow Control: None (was 10 Gbps)"));
        Repeat(Onset, 38, t =>
        {
            var seconds = Random.Between(6, 18);
            _down.Add((t, t + seconds));
            RootCause(Scene.Machine($"{Root}-1", t, "kernel", $"[{Random.Between(90000, 99999):0.000000}] ixgbe 0000:3b:00.0 eth0: NIC Link is Down"));
            Scene.Machine($"{Root}-1", t + seconds, "kernel", $"[{Random.Between(90000, 99999):0.000000}] ixgbe 0000:3b:00.0 eth0: NIC Link is Up 1 Gbps, Flow Control: None");
            if (Root == "orders-db")
            {
                Mechanism(Scene.Say(Root, t + seconds + 1, Level.Info, "could not send data to client: Connection reset by peer"));
            }
        });
    }

    public override Effect OnCall(Call call) => call.Callee == Root && Lost(call.At, 0.7)
        ? new Effect(2900, CallerError: "no answer: connection timed out")
        : default;

    public override Effect OnQuery(Call query) => Root == "orders-db" && Lost(query.At, 0.9)
        ? new Effect(3000, CallerError: "could not receive data from server: Connection timed out")
        : default;

    private bool Lost(double at, double p) => _down.Any(d => at >= d.From && at < d.To) && Random.Chance(p);
}

/// <summary>The entrance gets a list of backends that names a machine which does not exist.</summary>
internal sealed class BadRoute : Fault
{
    private string _backend = "";

    public override IReadOnlyList<string> Roots => ["edge"];

    public override string Cause => $"The edge was reloaded with a list of upstreams that names {_backend}-3, which does not exist; each third request goes there.";

    protected override void Prepare()
    {
        _backend = Random.Pick(["catalog", "checkout"]);
        Scene.Say(Root, Onset - 3, Level.Info, "signal 1 (SIGHUP) received, reconfiguring");
        RootCause(Scene.Say(Root, Onset - 2.6, Level.Info, $"upstream {_backend}: 3 servers ({_backend}-1 {_backend}-2 {_backend}-3), revision 218"));
        RootCause(Scene.Machine("edge-1", Onset - 8, "deploy-agent[911]", "wrote /etc/nginx/conf.d/upstreams.conf revision 218"));
    }

    public override Effect OnCall(Call call)
    {
        if (call.Caller != "edge" || call.Callee != _backend || !Active(call.At) || !Random.Chance(0.34))
        {
            return default;
        }

        Mechanism(Scene.Say("edge", call.At + 0.01, Level.Warn, $"*{Random.Next(1000, 99999)} upstream server temporarily disabled while connecting to upstream", call.RequestId, fields: ("upstream", $"http://{_backend}-3:8080")));
        return new Effect(Random.Between(2, 40), CallerError: "connection refused");
    }
}

/// <summary>A client that gives up later and asks more often keeps an overloaded service from recovering.</summary>
internal sealed class RetryStorm : Fault
{
    private string _victim = "";

    public override IReadOnlyList<string> Roots => ["checkout", "fulfilment", "edge"];

    public override string Cause => $"{Root} was told to ask {_victim} ten times without pause; after a short hiccup its repetitions keep {_victim} overloaded.";

    protected override void Prepare()
    {
        _victim = Root == "edge" ? "catalog" : "inventory";
        RootCause(Scene.Say(Root, Onset - Random.Between(90, 240), Level.Info, $"configuration reloaded: client.{_victim}.attempts 2 -> 10, client.{_victim}.pause 200ms -> 0ms", host: $"{Root}-1"));
        Repeat(Onset + 5, 25, t => Mechanism(Scene.Say(Root, t, Level.Info, $"client {_victim}: {Random.Next(300, 900)} attempts for {Random.Next(20, 60)} calls in the last 30 s")));
    }

    public override Effect OnCall(Call call)
    {
        if (call.Callee != _victim || !Active(call.At))
        {
            return default;
        }

        if (call.Caller == Root)
        {
            for (var i = 1; i <= Random.Next(2, 7); i++)
            {
                Mechanism(Scene.Say(_victim, call.At + (0.04 * i), Level.Warn, $"request queue is full, rejected attempt {i}", call.RequestId));
            }
        }

        return Random.Chance(0.4) ? new Effect(Random.Between(20, 300), "request queue is full (128 of 128)") : new Effect(Random.Exponential(900));
    }
}
