using Incident.Generator.Formats;

namespace Incident.Generator;

/// <summary>The shop's machines and their log files: who writes what, where and how.</summary>
internal sealed class Scene
{
    public const string Syslog = "syslog";

    /// <summary>The services that an incident can start in, in the order that requests pass them.</summary>
    public static readonly IReadOnlyList<string> Services =
        ["edge", "catalog", "checkout", "inventory", "payments", "fulfilment", "orders-db", "cache"];

    private readonly Dictionary<string, (LogFile File, ILogFormat Format)> _logs;
    private readonly Dictionary<string, double> _skew = [];
    private readonly Random _hosts;

    public Scene(int seed)
    {
        Seed = seed;
        var calendar = Seeded.Stream(seed, "calendar");
        Start = new DateTimeOffset(2026, 1, 5, 0, 0, 0, TimeSpan.Zero).AddDays(calendar.Next(300)).AddMinutes(60 * calendar.Next(6, 21) + calendar.Next(60));
        _hosts = Seeded.Stream(seed, "hosts");
        _logs = new()
        {
            ["edge"] = (new("edge.log"), new Nginx()),
            ["catalog"] = (new("catalog.log"), new Logfmt("catalog")),
            ["checkout"] = (new("checkout.log"), new Logback("checkout")),
            ["inventory"] = (new("inventory.log"), new PythonLogging()),
            ["payments"] = (new("payments.log"), new Pino()),
            ["fulfilment"] = (new("fulfilment.log"), new SerilogCompact()),
            ["orders-db"] = (new("orders-db.log"), new PostgresLog()),
            ["cache"] = (new("cache.log"), new RedisLog()),
            [Syslog] = (new("syslog.log"), new Syslog()),
        };
    }

    public int Seed { get; }

    public DateTimeOffset Start { get; }

    /// <summary>Seconds recorded.</summary>
    public double Length { get; } = 50 * 60;

    public IEnumerable<LogFile> Files => _logs.Values.Select(l => l.File);

    /// <summary>A machine of the service: stateful ones have one, the others two.</summary>
    public string Host(string service) =>
        service is "orders-db" or "cache" or "edge" ? $"{service}-1" : $"{service}-{_hosts.Next(1, 3)}";

    /// <summary>From now on the clock of the service's machines is off by so many seconds.</summary>
    public void Skew(string service, double seconds) => _skew[service] = seconds;

    public double SkewOf(string service) => _skew.GetValueOrDefault(service);

    /// <summary>Writes an entry to a service's log.</summary>
    public Entry Say(string service, double at, Level level, string message, string? rid = null, string source = "", IReadOnlyList<string>? trace = null, string? host = null, params (string Key, object Value)[] fields)
    {
        var (file, format) = _logs[service];
        var clock = at + SkewOf(service);
        var saying = new Saying(Start.AddSeconds(clock), level, host ?? Host(service), source.Length == 0 ? Source(service) : source, message, rid, trace ?? [], fields);
        return file.Add(clock, format.Render(saying));
    }

    /// <summary>Writes a line to the collected syslog of all machines.</summary>
    public Entry Machine(string host, double at, string program, string message)
    {
        var (file, format) = _logs[Syslog];
        return file.Add(at, format.Render(new Saying(Start.AddSeconds(at), Level.Info, host, program, message, null, [], [])));
    }

    /// <summary>A stack trace in the manner of the service's language.</summary>
    public static string[] Trace(string service, string error, params string[] frames) => service switch
    {
        "checkout" => [$"{error}", .. frames.Select((f, i) => $"\tat com.shop.checkout.{f}({f.Split('.')[0]}.java:{40 + 17 * i})"), "\tat java.base/java.lang.Thread.run(Thread.java:1583)"],
        "inventory" => [.. frames.SelectMany((f, i) => new[] { $"  File \"/srv/inventory/{f.Split('.')[0].ToLowerInvariant()}.py\", line {31 + 23 * i}, in {f.Split('.')[^1]}", $"    return self.{f.Split('.')[^1]}(*args)" }), error],
        "payments" => [error, .. frames.Select((f, i) => $"    at {f} (/srv/payments/dist/{f.Split('.')[0].ToLowerInvariant()}.js:{20 + 31 * i}:11)")],
        "fulfilment" => [error, .. frames.Select((f, i) => $"   at Shop.Fulfilment.{f}() in /src/{f.Split('.')[0]}.cs:line {18 + 29 * i}")],
        "catalog" => [error, .. frames.Select((f, i) => $"catalog/{f.ToLowerInvariant()}.go:{22 + 19 * i}")],
        _ => [],
    };

    private static string Source(string service) => service switch
    {
        "checkout" => "c.s.checkout.OrderController",
        "inventory" => "inventory.api",
        "fulfilment" => "Shop.Fulfilment.Worker",
        "edge" => "error",
        _ => "",
    };
}
