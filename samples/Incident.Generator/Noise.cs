namespace Incident.Generator;

/// <summary>What the logs always hold: housekeeping, and the warnings that nobody has fixed for months.</summary>
internal sealed class Noise(Scene scene)
{
    private readonly Random _random = Seeded.Stream(scene.Seed, "noise");

    public void Run()
    {
        Every(60, t => scene.Say("checkout", t, Level.Debug, $"HikariPool-1 - Pool stats (total=20, active={_random.Next(1, 6)}, idle={_random.Next(12, 18)}, waiting=0)", source: "com.zaxxer.hikari.pool.HikariPool"));
        Every(45, t => scene.Say("checkout", t, Level.Warn, "Deprecated header X-Cart-Version in use, switch to Cart-Version", source: "c.s.checkout.web.LegacyHeaders"));
        Every(110, t => scene.Say("checkout", t, Level.Warn, $"Currency rates are {_random.Next(61, 90)} minutes old, using them anyway", source: "c.s.checkout.RatesFeed"));
        Every(30, t => scene.Say("catalog", t, Level.Info, "runtime stats", fields: [("goroutines", _random.Next(60, 95)), ("heap_mb", _random.Next(180, 230))]));
        Every(75, t => scene.Say("catalog", t, Level.Warn, "slow search", fields: [("terms", _random.Next(3, 9)), ("took_ms", _random.Next(310, 690))]));
        Every(300, t => scene.Say("catalog", t, Level.Info, "remote configuration unchanged", fields: ("revision", 4411)));
        Every(40, t => scene.Say("inventory", t, Level.Warn, $"stock of SKU-{_random.Next(1000, 1600)} is low: {_random.Next(1, 6)} left", source: "inventory.stock"));
        Every(90, t => scene.Say("inventory", t, Level.Info, $"optimistic lock on SKU-{_random.Next(1000, 1600)} retried", source: "inventory.stock"));
        Every(50, t => scene.Say("payments", t, Level.Info, "webhook delivered", fields: [("attempt", _random.Chance(0.1) ? 2 : 1), ("durationMs", _random.Next(40, 300))]));
        Every(140, t => scene.Say("payments", t, Level.Warn, "acquirer answered slower than its target", fields: ("durationMs", _random.Next(600, 1400))));
        Every(55, t => scene.Say("fulfilment", t, Level.Info, "Queue orders checked", fields: [("Depth", _random.Next(0, 5)), ("Consumers", 8)]));
        Every(100, t => scene.Say("fulfilment", t, Level.Warn, "Carrier answered slowly", fields: ("Elapsed", _random.Next(900, 2200))));
        Every(300, t => scene.Say("orders-db", t, Level.Info, $"checkpoint complete: wrote {_random.Next(200, 900)} buffers; write={_random.Between(20, 29):0.000} s, sync={_random.Between(0.01, 0.2):0.000} s"));
        Every(240, t => scene.Say("orders-db", t, Level.Info, $"automatic vacuum of table \"shop.public.{_random.Pick(["stock", "orders", "carts", "sessions"])}\": index scans: 1", source: ""));
        Every(150, t => scene.Say("orders-db", t, Level.Info, "could not receive data from client: Connection reset by peer", source: _random.Pick(["reports", "catalog"])));
        Every(170, t => scene.Say("orders-db", t, Level.Info, $"duration: {_random.Between(900, 2400):0.000} ms  statement: SELECT sum(total) FROM orders GROUP BY day", source: "reports"));
        Every(200, t =>
        {
            scene.Say("cache", t, Level.Info, $"{_random.Next(100, 900)} changes in 300 seconds. Saving...");
            scene.Say("cache", t + 0.2, Level.Info, $"Background saving started by pid {_random.Next(300, 900)}");
            scene.Say("cache", t + 1.4, Level.Info, "DB saved on disk");
        });
        Every(35, t => scene.Say("cache", t, Level.Debug, $"DB 0: {_random.Next(41000, 43000)} keys ({_random.Next(40000, 41000)} volatile) in 65536 slots HT."));
        Every(45, t => scene.Say("edge", t, Level.Info, $"GET /{_random.Pick([".env", "wp-login.php", "admin", "robots.txt"])} HTTP/1.1", _random.Hex(16), "access", fields: [("client", $"198.51.100.{_random.Next(2, 250)}"), ("status", 404), ("bytes", 162), ("agent", "Mozilla/5.0 zgrab/0.x"), ("rt", 0.001), ("upstream", "-")]));
        Every(130, t => scene.Say("edge", t, Level.Warn, $"*{_random.Next(1000, 99999)} an upstream response is buffered to a temporary file", fields: ("request", "GET /feed.xml HTTP/1.1")));
        Every(25, t => scene.Machine(AnyHost(), t, $"CRON[{_random.Next(900, 9000)}]", "(root) CMD (/usr/lib/sysstat/sa1 1 1)"));
        Every(70, t => scene.Machine(AnyHost(), t, $"systemd[1]", $"Started session-{_random.Next(100, 999)}.scope - Session of User monitor."));
        Every(180, t => scene.Machine(AnyHost(), t, "chronyd[611]", $"Selected source 10.0.0.{_random.Next(2, 5)} (ntp{_random.Next(1, 4)}.internal)"));
        Every(95, t => scene.Machine(AnyHost(), t, $"sshd[{_random.Next(900, 9000)}]", $"Connection closed by 10.0.9.{_random.Next(2, 60)} port {_random.Next(30000, 60000)} [preauth]"));
        Every(260, t => scene.Machine(AnyHost(), t, "kernel", $"[{_random.Between(90000, 99999):0.000000}] TCP: request_sock_TCP: Possible SYN flooding on port 8080. Sending cookies."));
        Every(400, t => scene.Machine(AnyHost(), t, "smartd[702]", $"Device: /dev/sda [SAT], SMART Usage Attribute: 194 Temperature_Celsius changed from {_random.Next(66, 70)} to {_random.Next(66, 70)}"));
    }

    private string AnyHost() => scene.Host(_random.Pick(Scene.Services));

    private void Every(double seconds, Action<double> say)
    {
        for (var at = _random.Between(0, seconds); at < scene.Length - 3; at += seconds * _random.Between(0.7, 1.3))
        {
            say(at);
        }
    }
}
