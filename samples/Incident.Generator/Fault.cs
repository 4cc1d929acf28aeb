namespace Incident.Generator;

/// <summary>
/// Something that goes wrong in one service. It writes what the service itself says about it, and bends the calls that pass;
/// what the other services then say follows from the traffic.
/// </summary>
internal abstract class Fault
{
    /// <summary>Services that this kind of fault can start in.</summary>
    public abstract IReadOnlyList<string> Roots { get; }

    /// <summary>One sentence on what happened, for the truth file; known after <see cref="Prepare"/>.</summary>
    public abstract string Cause { get; }

    /// <summary>The service in which it starts.</summary>
    public string Root { get; private set; } = "";

    /// <summary>Second at which it starts to do harm.</summary>
    public double Onset { get; private set; }

    /// <summary>Entries that show it, with their part in it: "cause", "mechanism" or "symptom".</summary>
    public List<(string Role, Entry Entry)> Evidence { get; } = [];

    protected Scene Scene { get; private set; } = null!;

    protected Random Random { get; private set; } = null!;

    public void Begin(Scene scene, string root, double onset)
    {
        Scene = scene;
        Root = root;
        Onset = onset;
        Random = Seeded.Stream(scene.Seed, "fault");
        Prepare();
    }

    /// <summary>What happens to a call between services; called once for each call, in no order of time.</summary>
    public virtual Effect OnCall(Call call) => default;

    /// <summary>What happens to a query; its callee is the database.</summary>
    public virtual Effect OnQuery(Call query) => default;

    /// <summary>What happens to a call to a third party.</summary>
    public virtual Effect OnOutside(Call call) => default;

    /// <summary>Whether a product is still in the cache.</summary>
    public virtual bool InCache(double at, bool usually) => usually;

    /// <summary>Seconds until the queue hands a message to its consumer.</summary>
    public virtual double QueueDelay(double at, double usual) => usual;

    /// <summary>Writes the entries that no request causes.</summary>
    protected abstract void Prepare();

    protected bool Active(double at) => at >= Onset;

    /// <summary>From 0 at the onset to 1 after so many seconds.</summary>
    protected double Ramp(double at, double seconds) => Math.Clamp((at - Onset) / seconds, 0, 1);

    protected Entry RootCause(Entry entry) => Mark("cause", entry);

    protected Entry Mechanism(Entry entry) => Mark("mechanism", entry);

    /// <summary>What others say because of it; the traffic reports every failure and slowness after the onset.</summary>
    public void Symptom(Entry entry)
    {
        if (entry.At >= Onset)
        {
            Mark("symptom", entry);
        }
    }

    /// <summary>A release of the root, machine after machine, written as any release is.</summary>
    protected void Release(double at, string version)
    {
        for (var i = 1; i <= 2; i++)
        {
            var t = at + 40 * (i - 1);
            var host = $"{Root}-{i}";
            Scene.Machine(host, t - 4, "systemd[1]", $"Stopping {Root}.service - Shop {Root}...");
            Scene.Say(Root, t - 3.5, Level.Info, "received SIGTERM, finishing open requests", host: host);
            RootCause(Scene.Machine(host, t - 1, "systemd[1]", $"Started {Root}.service - Shop {Root}."));
            RootCause(Scene.Say(Root, t, Level.Info, $"starting {Root} version {version}", host: host));
            Scene.Say(Root, t + 0.6, Level.Info, "database connections ready", host: host, fields: ("size", 20));
            Scene.Say(Root, t + 2.2, Level.Info, "ready to serve", host: host);
        }
    }

    /// <summary>Calls <paramref name="say"/> at about every so many seconds from a time on, to the end of the recording.</summary>
    protected void Repeat(double from, double seconds, Action<double> say)
    {
        for (var at = from; at < Scene.Length - 2; at += seconds * Random.Between(0.8, 1.2))
        {
            say(at);
        }
    }

    private Entry Mark(string role, Entry entry)
    {
        // A handful of each is evidence; hundreds are the incident itself.
        if (Evidence.Count(e => e.Role == role && e.Entry.File == entry.File) < 3)
        {
            Evidence.Add((role, entry));
        }

        return entry;
    }
}
