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
        (new("clock-skew", true), () => new ClockSkew()),
        (new("name-resolution", true), () => new NameResolution()),
        (new("lock-order", true), () => new LockOrder()),
        (new("feature-flag", true), () => new FeatureFlag()),
        (new("collector-pauses", true), () => new CollectorPauses()),
        (new("schema-migration", true), () => new SchemaMigration()),
        (new("descriptor-leak", true), () => new DescriptorLeak()),
        (new("backup-load", true), () => new BackupLoad()),
        (new("queue-backlog", true), () => new QueueBacklog()),
    ];

    /// <summary>All kinds.</summary>
    public static IReadOnlyList<FaultKind> All { get; } = [.. Kinds.Select(k => k.Kind)];

    /// <summary>The kind of that name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static FaultKind Named(string name) => All.FirstOrDefault(k => k.Name == name)
        ?? throw new ArgumentException($"There is no kind of fault '{name}'. Known: {string.Join(", ", All.Select(k => k.Name))}.");

    internal Fault Make() => Kinds.First(k => k.Kind == this).Make();
}
