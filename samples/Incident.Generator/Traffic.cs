namespace Incident.Generator;

/// <summary>Customers' requests on their way through the services, each service logging its part.</summary>
internal sealed class Traffic(Scene scene, Fault fault)
{
    private static readonly string[] Agents =
    [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X)",
        "Mozilla/5.0 (X11; Linux x86_64)", "ShopApp/7.12 (Android 15)",
    ];

    private readonly Random _random = Seeded.Stream(scene.Seed, "traffic");
    private int _order;

    public void Run()
    {
        _order = _random.Next(400_000, 900_000);
        var at = 0.5;
        while (at < scene.Length - 20)
        {
            Request(at);
            at += _random.Exponential(2.75);
        }
    }

    private void Request(double at)
    {
        var rid = _random.Hex(16);
        var kind = _random.NextDouble();
        var product = 1000 + _random.Next(600);
        var (method, path, backend) = kind switch
        {
            < 0.42 => ("GET", $"/products/{product}", "catalog"),
            < 0.55 => ("GET", $"/search?q={_random.Pick(["lamp", "desk", "chair", "mug", "shelf", "rug"])}", "catalog"),
            < 0.92 => ("POST", "/orders", "checkout"),
            _ => ("GET", $"/orders/{_order - _random.Next(1, 400)}", "checkout"),
        };
        var operation = kind switch { < 0.42 => "product", < 0.55 => "search", < 0.92 => "place", _ => "show" };
        var client = $"203.0.113.{_random.Next(2, 250)}";
        var upstream = scene.Host(backend);
        var entrance = fault.OnCall(new Call("client", "edge", operation, at, rid));
        var outcome = entrance.CallerError is not null
            ? new Outcome(2, entrance.CallerError)
            : Ask(new Call("edge", backend, operation, at + 0.001, rid), 10_000, a => backend == "catalog" ? Catalog(a, path, product) : Checkout(a));
        if (entrance.CalleeError is not null)
        {
            outcome = new Outcome(outcome.Ms + entrance.ExtraMs, entrance.CalleeError);
        }

        var ms = outcome.Ms + entrance.ExtraMs + _random.Between(1, 4);
        var status = outcome.Error switch { null => method == "POST" ? 201 : 200, "timeout" => 504, var e when e.Contains("refused", StringComparison.Ordinal) || e.Contains("reset", StringComparison.Ordinal) => 502, "402" => 402, _ => 503 };
        var end = at + ms / 1000;
        if (status is 502 or 504)
        {
            var what = status == 504 ? "upstream timed out (110: Operation timed out) while reading response header from upstream" : "connect() failed (111: Connection refused) while connecting to upstream";
            fault.Symptom(scene.Say("edge", end, Level.Error, $"*{_random.Next(1000, 99999)} {what}", rid, fields: [("client", client), ("request", $"{method} {path} HTTP/1.1"), ("upstream", $"http://{upstream}:8080")]));
        }

        var access = scene.Say("edge", end, Level.Info, $"{method} {path} HTTP/1.1", rid, "access", fields: [("client", client), ("status", status), ("bytes", _random.Next(300, 9000)), ("agent", _random.Pick(Agents)), ("rt", ms / 1000), ("upstream", $"{upstream}:8080")]);
        if (status >= 500 || ms > 2000)
        {
            fault.Symptom(access);
        }
    }

    /// <summary>Asks a service: the fault may keep the call from arriving, slow it, or make the callee fail.</summary>
    private Outcome Ask(Call call, double timeoutMs, Func<Arrival, Outcome> handle)
    {
        var effect = fault.OnCall(call);
        if (effect.CallerError is not null)
        {
            return new Outcome(Math.Min(3 + effect.ExtraMs, timeoutMs), effect.CallerError);
        }

        var outcome = handle(new Arrival(call, effect));
        return outcome.Ms > timeoutMs ? new Outcome(timeoutMs, "timeout") : outcome;
    }

    private Outcome Catalog(Arrival a, string path, int product)
    {
        var (call, effect) = a;
        var ms = _random.Between(6, 24) + effect.ExtraMs;
        var cached = call.Operation == "product" && fault.InCache(call.At, _random.Chance(0.88));
        var error = effect.CalleeError;
        if (error is null && !cached)
        {
            var sql = call.Operation == "product" ? $"SELECT id, name, price FROM products WHERE id = {product}" : "SELECT id, name FROM products WHERE tsv @@ plainto_tsquery($1) LIMIT 24";
            var query = Query(new Call("catalog", "orders-db", "products", call.At + ms / 1000, call.RequestId), sql, call.Operation == "product" ? 12 : 70, 4000);
            ms += query.Ms;
            error = query.Error;
        }

        var end = call.At + ms / 1000;
        if (error is not null)
        {
            fault.Symptom(scene.Say("catalog", end, Level.Error, error, call.RequestId, trace: Scene.Trace("catalog", error, "store.load", "api.serve"), fields: ("path", path)));
        }

        scene.Say("catalog", end, error is null ? Level.Info : Level.Warn, "request served", call.RequestId, fields: [("path", path), ("status", error is null ? 200 : 500), ("cache", cached ? "hit" : "miss"), ("duration_ms", Math.Round(ms))]);
        return new Outcome(ms, error is null ? null : "500");
    }

    private Outcome Checkout(Arrival a)
    {
        var (call, effect) = a;
        var rid = call.RequestId;
        var ms = _random.Between(8, 30) + effect.ExtraMs;
        double Now() => call.At + ms / 1000;
        if (effect.CalleeError is { } own)
        {
            return Failed(own, "OrderController.place");
        }

        if (call.Operation == "show")
        {
            var read = Query(new Call("checkout", "orders-db", "orders", Now(), rid), "SELECT * FROM orders WHERE id = $1", 9, 5000);
            ms += read.Ms;
            if (!read.Ok)
            {
                return Failed(read.Error!, "OrderRepository.find");
            }

            scene.Say("checkout", Now(), Level.Info, $"Order shown in {ms:0} ms", rid);
            return new Outcome(ms);
        }

        var order = _order++;
        scene.Say("checkout", Now(), Level.Info, $"Placing order {order} with {_random.Next(1, 6)} items", rid);
        for (var attempt = 1; ; attempt++)
        {
            var reserved = Ask(new Call("checkout", "inventory", "reserve", Now(), rid), 3000, i => Inventory(i, "reserved", order));
            ms += reserved.Ms;
            if (reserved.Ok)
            {
                break;
            }

            fault.Symptom(scene.Say("checkout", Now(), Level.Warn, $"inventory call failed: {reserved.Error} (attempt {attempt} of 2)", rid, "c.s.checkout.client.InventoryClient"));
            if (attempt == 2)
            {
                return Failed($"com.shop.checkout.UpstreamException: inventory unavailable: {reserved.Error}", "InventoryClient.reserve", "OrderController.place");
            }
        }

        var paid = Ask(new Call("checkout", "payments", "authorise", Now(), rid), 5000, p => Payments(p, order));
        ms += paid.Ms;
        if (paid.Error == "402")
        {
            scene.Say("checkout", Now(), Level.Info, $"Order {order} declined by the bank", rid);
            return paid;
        }

        if (!paid.Ok)
        {
            return Failed($"com.shop.checkout.UpstreamException: payments unavailable: {paid.Error}", "PaymentsClient.authorise", "OrderController.place");
        }

        var saved = Query(new Call("checkout", "orders-db", "orders", Now(), rid), "INSERT INTO orders (id, customer, total) VALUES ($1, $2, $3)", 14, 5000);
        ms += saved.Ms;
        if (!saved.Ok)
        {
            return Failed(saved.Error!, "OrderRepository.save", "OrderController.place");
        }

        scene.Say("checkout", Now(), Level.Info, $"Order {order} placed in {ms:0} ms", rid);
        var published = new Call("checkout", "fulfilment", "ship", Now(), rid);
        var handed = published.At + fault.QueueDelay(published.At, _random.Between(1, 6));
        if (handed < scene.Length)
        {
            Fulfilment(new Arrival(published with { At = handed }, fault.OnCall(published with { At = handed })), order);
        }

        return new Outcome(ms);

        Outcome Failed(string error, params string[] frames)
        {
            var head = error.Contains("Exception", StringComparison.Ordinal) ? error : $"com.shop.checkout.OrderException: {error}";
            fault.Symptom(scene.Say("checkout", Now(), Level.Error, $"Request failed after {ms:0} ms", rid, trace: Scene.Trace("checkout", head, frames)));
            return new Outcome(ms, "503");
        }
    }

    private Outcome Inventory(Arrival a, string verb, int order)
    {
        var (call, effect) = a;
        var ms = _random.Between(5, 18) + effect.ExtraMs;
        var error = effect.CalleeError;
        if (error is null)
        {
            var query = Query(new Call("inventory", "orders-db", "stock", call.At + ms / 1000, call.RequestId), "UPDATE stock SET reserved = reserved + $1 WHERE sku = $2", 11, 6000);
            ms += query.Ms;
            error = query.Error;
        }

        var end = call.At + ms / 1000;
        if (error is not null)
        {
            fault.Symptom(scene.Say("inventory", end, Level.Error, $"{call.Operation} failed after {ms:0} ms", call.RequestId, trace: Scene.Trace("inventory", $"inventory.errors.StockError: {error}", "api.reserve", "stock.update")));
            return new Outcome(ms, "500");
        }

        scene.Say("inventory", end, Level.Info, $"{verb} {_random.Next(1, 6)} x SKU-{_random.Next(1000, 1600)} for order {order} in {ms:0} ms", call.RequestId, "inventory.stock");
        return new Outcome(ms);
    }

    private Outcome Payments(Arrival a, int order)
    {
        var (call, effect) = a;
        var ms = _random.Between(6, 20) + effect.ExtraMs;
        var error = effect.CalleeError;
        if (error is null)
        {
            var outside = fault.OnOutside(new Call("payments", "acquirer", "authorise", call.At + ms / 1000, call.RequestId));
            ms += _random.Between(110, 290) + outside.ExtraMs;
            error = outside.CallerError;
        }

        var end = call.At + ms / 1000;
        if (error is not null)
        {
            fault.Symptom(scene.Say("payments", end, Level.Error, error, call.RequestId, trace: Scene.Trace("payments", $"Error: {error}", "Acquirer.authorise", "Server.handle"), fields: [("order", order), ("durationMs", Math.Round(ms))]));
            return new Outcome(ms, "502");
        }

        if (_random.Chance(0.03))
        {
            scene.Say("payments", end, Level.Warn, "card declined", call.RequestId, fields: [("order", order), ("code", _random.Pick(["insufficient_funds", "do_not_honor", "expired_card"])), ("durationMs", Math.Round(ms))]);
            return new Outcome(ms, "402");
        }

        scene.Say("payments", end, Level.Info, "authorised", call.RequestId, fields: [("order", order), ("durationMs", Math.Round(ms))]);
        return new Outcome(ms);
    }

    private void Fulfilment(Arrival a, int order)
    {
        var (call, effect) = a;
        var ms = _random.Between(10, 40) + effect.ExtraMs;
        var error = effect.CalleeError ?? effect.CallerError;
        if (error is null)
        {
            var outside = fault.OnOutside(new Call("fulfilment", "carrier", "label", call.At + ms / 1000, call.RequestId));
            ms += _random.Between(80, 400) + outside.ExtraMs;
            error = outside.CallerError;
        }

        if (error is null)
        {
            var taken = Ask(new Call("fulfilment", "inventory", "take", call.At + ms / 1000, call.RequestId), 5000, i => Inventory(i, "took", order));
            ms += taken.Ms;
            error = taken.Ok ? null : $"inventory answered {taken.Error}";
        }

        var end = call.At + ms / 1000;
        if (error is not null)
        {
            fault.Symptom(scene.Say("fulfilment", end, Level.Error, $"Order {order} not shipped: {error}", call.RequestId, trace: Scene.Trace("fulfilment", $"Shop.Fulfilment.ShipmentException: {error}", "Worker.Handle", "Queue.Consume"), fields: ("Elapsed", Math.Round(ms))));
            return;
        }

        scene.Say("fulfilment", end, Level.Info, $"Order {order} shipped", call.RequestId, fields: ("Elapsed", Math.Round(ms)));
    }

    private Outcome Query(Call call, string sql, double usualMs, double timeoutMs)
    {
        var effect = fault.OnQuery(call);
        var ms = usualMs * _random.Between(0.6, 1.8) + effect.ExtraMs;
        var error = effect.CallerError ?? effect.CalleeError;
        if (error is null && ms > timeoutMs)
        {
            ms = timeoutMs;
            error = "canceling statement due to statement timeout";
            scene.Say("orders-db", call.At + ms / 1000, Level.Error, error, call.RequestId, call.Caller, [$"STATEMENT:  {sql}"], fields: ("pid", _random.Next(200, 400)));
        }
        else if (effect.CalleeError is not null)
        {
            scene.Say("orders-db", call.At + ms / 1000, Level.Error, error!, call.RequestId, call.Caller, [$"STATEMENT:  {sql}"], fields: ("pid", _random.Next(200, 400)));
        }
        else if (effect.CallerError is null && (ms > 250 || _random.Chance(0.12)))
        {
            scene.Say("orders-db", call.At + ms / 1000, Level.Info, $"duration: {ms:0.000} ms  statement: {sql}", call.RequestId, call.Caller, fields: ("pid", _random.Next(200, 400)));
        }

        return new Outcome(ms, error);
    }

    /// <summary>A call that has arrived, and what the fault does to it.</summary>
    private sealed record Arrival(Call Call, Effect Effect);
}
