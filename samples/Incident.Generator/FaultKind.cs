using Incident.Generator.Faults;

namespace Incident.Generator;

/// <summary>A kind of fault, by name.</summary>
/// <param name="Name">Its name on the command line and in the truth file.</param>
/// <param name="HeldOut">Kept for evaluation: tools and prompts are built without looking at it.</param>
public sealed record FaultKind(string Name, bool HeldOut)
{
    private static readonly (FaultKind Kind, Func<Fault> Make)[] Kinds =
    [
        (new("pool-exhaustion", false), () => new PoolExhaustion()),
        (new("certificate-expiry", false), () => new CertificateExpiry()),
        (new("memory-leak", false), () => new MemoryLeak()),
        (new("query-per-item", false), () => new QueryPerItem()),
        (new("disk-full", false), () => new DiskFull()),
        (new("rate-limit", false), () => new RateLimit()),
        (new("poison-message", false), () => new PoisonMessage()),
        (new("cache-flush", false), () => new CacheFlush()),
        (new("clock-skew", false), () => new ClockSkew()),
        (new("name-resolution", false), () => new NameResolution()),
        (new("lock-order", false), () => new LockOrder()),
        (new("feature-flag", false), () => new FeatureFlag()),
        (new("collector-pauses", false), () => new CollectorPauses()),
        (new("schema-migration", false), () => new SchemaMigration()),
        (new("descriptor-leak", false), () => new DescriptorLeak()),
        (new("backup-load", false), () => new BackupLoad()),
        (new("queue-backlog", false), () => new QueueBacklog()),
        (new("link-flap", true), () => new LinkFlap()),
        (new("bad-route", true), () => new BadRoute()),
        (new("retry-storm", true), () => new RetryStorm()),
        (new("idle-transactions", true), () => new IdleTransactions()),
        (new("read-only-failover", true), () => new ReadOnlyFailover()),
        (new("key-rotation", true), () => new KeyRotation()),
        (new("hot-processor", true), () => new HotProcessor()),
    ];

    /// <summary>All kinds.</summary>
    public static IReadOnlyList<FaultKind> All { get; } = [.. Kinds.Select(k => k.Kind)];

    /// <summary>The kind of that name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static FaultKind Named(string name) => All.FirstOrDefault(k => k.Name == name)
        ?? throw new ArgumentException($"There is no kind of fault '{name}'. Known: {string.Join(", ", All.Select(k => k.Name))}.");

    internal Fault Make() => Kinds.First(k => k.Kind == this).Make();
}
