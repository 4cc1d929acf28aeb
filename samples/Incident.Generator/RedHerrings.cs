namespace Incident.Generator;

/// <summary>Things that look like a cause and are none, near the time at which the real one starts.</summary>
internal sealed class RedHerrings(Scene scene, Fault fault)
{
    private readonly Random _random = Seeded.Stream(scene.Seed, "herrings");

    /// <summary>Plants three, none in the service that has failed, and returns what they are.</summary>
    public IReadOnlyList<string> Run()
    {
        (string Service, string Name, Action<string, double> Plant)[] all =
        [
            ("catalog", "deploy", Deploy), ("checkout", "deploy", Deploy), ("inventory", "deploy", Deploy), ("payments", "deploy", Deploy), ("fulfilment", "deploy", Deploy),
            ("catalog", "configuration", Configuration), ("checkout", "configuration", Configuration), ("inventory", "configuration", Configuration), ("payments", "configuration", Configuration),
            ("orders-db", "reports", Reports), ("edge", "crawler", Crawler), ("payments", "declines", Declines),
            ("inventory", "import", Import), ("fulfilment", "carrier", Carrier), ("cache", "buffers", Buffers), ("edge", "reload", Reload),
        ];
        var planted = new List<string>();
        var left = all.Where(h => h.Service != fault.Root).ToList();
        for (var i = 0; i < 3; i++)
        {
            var (service, name, plant) = _random.Pick(left);
            // Most come before the harm is seen, as in life: that is why one looks at them.
            var at = Math.Clamp(fault.Onset + _random.Between(-540, 120), 60, scene.Length - 400);
            plant(service, at);
            planted.Add($"{name} in {service}");
            left.RemoveAll(h => h.Service == service);
        }

        return planted;
    }

    private void Deploy(string service, double at)
    {
        var version = $"{_random.Next(2, 9)}.{_random.Next(10, 60)}.{_random.Next(0, 9)}";
        for (var i = 1; i <= 2; i++)
        {
            var t = at + 40 * i;
            var host = $"{service}-{i}";
            scene.Machine(host, t - 4, "systemd[1]", $"Stopping {service}.service - Shop {service}...");
            scene.Say(service, t - 3.5, Level.Info, "received SIGTERM, finishing open requests", host: host);
            scene.Machine(host, t - 1, "systemd[1]", $"Started {service}.service - Shop {service}.");
            scene.Say(service, t, Level.Info, $"starting {service} version {version}", host: host);
            scene.Say(service, t + 0.6, Level.Info, "database connections ready", host: host, fields: ("size", 20));
            scene.Say(service, t + 1.1, Level.Warn, "option http.legacyTimeout is unknown and ignored", host: host);
            scene.Say(service, t + 2.2, Level.Info, "ready to serve", host: host);
        }
    }

    private void Configuration(string service, double at)
    {
        var (name, before, after) = _random.Pick([("log.sampleRate", "0.10", "0.25"), ("metrics.interval", "30s", "15s"), ("feature.newFooter", "false", "true"), ("banner.text", "none", "spring-sale"), ("http.keepAlive", "75s", "60s")]);
        for (var i = 1; i <= 2; i++)
        {
            scene.Say(service, at + i, Level.Info, $"configuration reloaded: {name} {before} -> {after}", host: $"{service}-{i}");
        }
    }

    private void Reports(string service, double at)
    {
        for (var i = 0; i < 9; i++)
        {
            scene.Say(service, at + 24 * i, Level.Info, $"duration: {_random.Between(2500, 7000):0.000} ms  statement: SELECT region, count(*) FROM orders JOIN customers USING (customer) GROUP BY region", source: "reports");
        }
    }

    private void Crawler(string service, double at)
    {
        for (var i = 0; i < 70; i++)
        {
            scene.Say(service, at + i * 2.5, Level.Info, $"GET /products/{_random.Next(9000, 9999)} HTTP/1.1", _random.Hex(16), "access", fields: [("client", "198.51.100.77"), ("status", 404), ("bytes", 162), ("agent", "FriendlyCrawler/2.1"), ("rt", _random.Between(0.002, 0.02)), ("upstream", "-")]);
        }
    }

    private void Declines(string service, double at)
    {
        for (var i = 0; i < 14; i++)
        {
            scene.Say(service, at + i * 17, Level.Warn, "card declined by issuer range 4929", fields: [("code", "issuer_unavailable"), ("durationMs", _random.Next(150, 300))]);
        }
    }

    private void Import(string service, double at)
    {
        scene.Say(service, at, Level.Info, "stock import started: 1840 rows", source: "inventory.importer");
        for (var i = 0; i < 16; i++)
        {
            scene.Say(service, at + 2 + i * 9, Level.Warn, $"stock import: row {_random.Next(1, 1840)} has no supplier, kept", source: "inventory.importer");
        }

        scene.Say(service, at + 150, Level.Info, "stock import finished: 1840 rows", source: "inventory.importer");
    }

    private void Carrier(string service, double at)
    {
        for (var i = 0; i < 15; i++)
        {
            scene.Say(service, at + i * 16, Level.Warn, "Carrier answered slowly", fields: ("Elapsed", _random.Next(2500, 6000)));
        }
    }

    private void Buffers(string service, double at)
    {
        for (var i = 0; i < 6; i++)
        {
            scene.Say(service, at + i * 30, Level.Warn, $"Client id={_random.Next(100, 999)} addr=10.0.4.{_random.Next(2, 40)}:52011 closed: output buffer limits reached");
        }
    }

    private void Reload(string service, double at)
    {
        scene.Say(service, at, Level.Info, "signal 1 (SIGHUP) received, reconfiguring");
        scene.Say(service, at + 0.3, Level.Info, "gracefully shutting down worker process 29");
        scene.Say(service, at + 0.5, Level.Info, "start worker process 33");
    }
}
