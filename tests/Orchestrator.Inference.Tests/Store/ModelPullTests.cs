using System.Security.Cryptography;
using Orchestrator.Core;
using Orchestrator.Inference.Store;
using Orchestrator.Testing.Models;

namespace Orchestrator.Inference.Tests.Store;

public sealed class ModelPullTests : ModelStoreFixture
{
    private string Hash => Convert.ToHexStringLower(SHA256.HashData(Model));

    [Theory]
    [InlineData("tiny")]
    [InlineData("TINY")]
    [InlineData(HubFile)]
    public async Task A_model_is_pulled_and_recorded(string name)
    {
        var progress = new Recorded();
        var record = await Store().PullAsync(name, progress);

        Assert.Equal(Target, record.Path);
        Assert.Equal(Model, await File.ReadAllBytesAsync(Target));
        Assert.Equal(new StoredFile(Target, Model.Length, Hash), Assert.Single(record.Files));
        Assert.Equal("/acme/tiny-GGUF/resolve/main/tiny.Q8_0.gguf", Assert.Single(Hub.Requests).Path);
        Assert.Equal([Target], Directory.GetFiles(Path.GetDirectoryName(Target)!));
        var last = progress.Reports.Last(report => report.Stage == PullStage.Downloading);
        Assert.Equal((Model.Length, (long?)Model.Length), ((int)last.Bytes, last.Total));
        Assert.Equal(PullStage.Verifying, progress.Reports[^1].Stage);
    }

    [Fact]
    public async Task A_model_that_is_here_is_not_fetched_again()
    {
        await Store().PullAsync("tiny");
        await Store().PullAsync("tiny");
        Assert.Single(Hub.Requests);
    }

    [Fact]
    public async Task An_address_of_its_own_is_pulled_too()
    {
        var record = await Store().PullAsync($"{Hub.Address}acme/tiny-GGUF/blob/main/tiny.Q8_0.gguf");
        Assert.Equal("/acme/tiny-GGUF/resolve/main/tiny.Q8_0.gguf", Assert.Single(Hub.Requests).Path);
        Assert.Equal(Model.Length, record.Bytes);
    }

    [Fact]
    public async Task An_adapter_is_pulled_as_one()
    {
        var bytes = await File.ReadAllBytesAsync(TinyAdapter.Create(Folder.File("tone.gguf"), TinyModel.SharedPath, new TinyAdapterOptions { Base = "tiny" }));
        Hub.Reply = request => HubReply.File(request, bytes);
        var store = Store();

        var record = await store.PullAsync("acme/tones/tone.gguf");
        Assert.Equal(new AdapterInfo("llama", "tiny"), record.Adapter);
        Assert.Equal(record.Adapter, store.Find("tone")?.Adapter);
        await store.VerifyAsync("tone");
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("acme/tiny.gguf")]
    [InlineData("acme/../../tiny.gguf")]
    [InlineData("acme/tiny-GGUF/notes.txt")]
    [InlineData("ftp://example.org/a.gguf")]
    [InlineData("http://example.org/..%2f..%2fa.gguf")]
    public async Task What_names_no_model_is_refused(string name)
    {
        var e = await Assert.ThrowsAsync<OrchestratorException>(() => Store().PullAsync(name));
        Assert.Equal(ErrorKind.Usage, e.Kind);
        Assert.Contains("tiny", e.Remedy, StringComparison.Ordinal);
        Assert.Empty(Hub.Requests);
    }

    [Fact]
    public async Task A_dropped_connection_is_taken_up_where_it_broke()
    {
        Hub.Reply = request => HubReply.File(request, Model) with { DropAfter = 100_000 };
        await Store().PullAsync("tiny");
        Assert.Equal(Model, await File.ReadAllBytesAsync(Target));
        Assert.Equal([0, 100_000, 200_000, 300_000, 400_000, 500_000], Hub.Requests.Select(request => request.Offset));
    }

    [Fact]
    public async Task Another_process_goes_on_where_one_stopped()
    {
        Hub.Reply = request => HubReply.File(request, Model).With("ETag", "\"v1\"") with { DropAfter = request.Offset == 0 ? 123_456 : 0 };
        await Assert.ThrowsAsync<OrchestratorException>(() => Store().PullAsync("tiny"));
        Assert.Equal(123_456, new FileInfo(Part).Length);

        Hub.Requests.Clear();
        Hub.Reply = request => HubReply.File(request, Model);
        await Store().PullAsync("tiny");
        var request = Assert.Single(Hub.Requests);
        Assert.Equal(123_456, request.Offset);
        Assert.Equal("\"v1\"", request.Headers["If-Range"]);
        Assert.Equal(Model, await File.ReadAllBytesAsync(Target));
        Assert.Equal([Target], Directory.GetFiles(Path.GetDirectoryName(Target)!));
    }

    [Fact]
    public async Task A_server_without_ranges_is_read_from_the_start()
    {
        Cut(50_000);
        Hub.Reply = _ => new HubReply(200, Model);
        await Store().PullAsync("tiny");
        Assert.Equal(Model, await File.ReadAllBytesAsync(Target));
    }

    [Fact]
    public async Task A_server_without_ranges_that_always_drops_is_given_up()
    {
        Hub.Reply = _ => new HubReply(200, Model) { DropAfter = 50_000 };
        var e = await Assert.ThrowsAsync<OrchestratorException>(() => Store().PullAsync("tiny"));
        Assert.Equal(3, Hub.Requests.Count);
        Assert.Contains("could not be fetched from 127.0.0.1", e.Message, StringComparison.Ordinal);
        Assert.Contains("48.8 KiB", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bytes 0-571967/571968")]
    [InlineData("bytes 7-571967/571968")]
    [InlineData("bytes 50000-99999/100000")]
    public async Task A_wrong_range_is_not_appended(string range)
    {
        Cut(50_000);
        Hub.Reply = request => request.Offset > 0
            ? new HubReply(206, Model[50_000..]) { Headers = { ["Content-Range"] = range } }
            : new HubReply(200, Model);
        if (range.EndsWith("/100000", StringComparison.Ordinal))
        {
            await Assert.ThrowsAsync<OrchestratorException>(() => Store().PullAsync("tiny"));
            Assert.False(File.Exists(Target));
        }
        else
        {
            await Store().PullAsync("tiny");
            Assert.Equal(Model, await File.ReadAllBytesAsync(Target));
        }
    }

    [Fact]
    public async Task A_part_that_is_whole_needs_no_more_bytes()
    {
        Cut(Model.Length);
        await Store().PullAsync("tiny");
        Assert.Equal(Model, await File.ReadAllBytesAsync(Target));
    }

    [Fact]
    public async Task A_part_that_is_too_long_starts_over()
    {
        Cut(Model.Length);
        await File.AppendAllTextAsync(Part, "more");
        await Store().PullAsync("tiny");
        Assert.Equal(Model, await File.ReadAllBytesAsync(Target));
        Assert.Equal(2, Hub.Requests.Count);
    }

    [Fact]
    public async Task A_length_that_is_promised_too_large_is_found_out()
    {
        Hub.Reply = request => HubReply.File(request, Model) with { DeclaredLength = Model.Length - request.Offset + 1000 };
        var exact = await Assert.ThrowsAsync<OrchestratorException>(() => Store().PullAsync("tiny"));
        Assert.Contains("not the file that the catalogue describes", exact.Message, StringComparison.Ordinal);

        // Asked for the missing rest, the server admits that there is none.
        await Store(o => o.CataloguePath = Catalogue(1, null, approximate: true)).PullAsync("tiny");
        Assert.Equal(Model, await File.ReadAllBytesAsync(Target));
    }

    [Fact]
    public async Task A_length_that_is_promised_too_small_is_found_out()
    {
        Hub.Reply = request => HubReply.File(request, Model) with { DeclaredLength = Model.Length - 1000 };
        var exact = await Assert.ThrowsAsync<OrchestratorException>(() => Store().PullAsync("tiny"));
        Assert.Contains("not the file that the catalogue describes", exact.Message, StringComparison.Ordinal);

        var e = await Assert.ThrowsAsync<OrchestratorException>(() => Store(o => o.CataloguePath = Catalogue(Model.Length, null, approximate: true)).PullAsync("tiny"));
        Assert.Contains("truncated", e.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Target));
        Assert.False(File.Exists(Part));
    }

    [Fact]
    public async Task A_server_that_says_no_length_is_read_to_the_end()
    {
        Hub.Reply = _ => new HubReply(200, Model) { NoLength = true };
        await Store().PullAsync("tiny");
        Assert.Equal(Model, await File.ReadAllBytesAsync(Target));
    }

    [Fact]
    public async Task A_server_that_never_stops_is_stopped()
    {
        Hub.Reply = _ => new HubReply(200, [.. Model, .. new byte[5000]]) { NoLength = true };
        var e = await Assert.ThrowsAsync<OrchestratorException>(() => Store().PullAsync("tiny"));
        Assert.Contains("more than", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silent_server_is_asked_again()
    {
        Hub.Reply = request => HubReply.File(request, Model) with { DropAfter = request.Offset == 0 ? 1000 : null, Hang = request.Offset == 0 };
        await Store(o => o.IdleTimeout = TimeSpan.FromMilliseconds(200)).PullAsync("tiny");
        Assert.Equal([0, 1000], Hub.Requests.Select(request => request.Offset));
    }

    [Theory]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task A_busy_server_is_asked_again(int status)
    {
        Hub.Reply = request => Hub.Requests.Count < 3
            ? HubReply.Error(status).With("Retry-After", "0")
            : HubReply.File(request, Model);
        await Store().PullAsync("tiny");
        Assert.Equal(3, Hub.Requests.Count);

        Hub.Reply = _ => HubReply.Error(status);
        File.Delete(Target);
        var e = await Assert.ThrowsAsync<OrchestratorException>(() => Store().PullAsync("tiny"));
        Assert.Contains($"{status}", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401, null, "set it as HF_TOKEN")]
    [InlineData(403, "t0ken", "token in HF_TOKEN doesn't suffice")]
    [InlineData(404, null, "Check the spelling")]
    [InlineData(418, null, "HF_ENDPOINT")]
    public async Task A_refusal_says_what_to_do(int status, string? token, string remedy)
    {
        Hub.Reply = _ => HubReply.Error(status);
        var e = await Assert.ThrowsAsync<OrchestratorException>(() => Store(o => o.Token = token).PullAsync("tiny"));
        Assert.Equal(ErrorKind.Model, e.Kind);
        Assert.Contains(HubFile, e.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, e.Remedy, StringComparison.Ordinal);
        Assert.DoesNotContain("t0ken", e.ToString(), StringComparison.Ordinal);
        Assert.Single(Hub.Requests);
    }

    [Fact]
    public async Task The_token_stays_with_the_hub()
    {
        await using var storage = new HubServer(request => HubReply.File(request, Model));
        Hub.Reply = _ => new HubReply(302, []) { Headers = { ["Location"] = $"{storage.Address}blob?sig=1", ["X-Linked-Etag"] = $"\"{Hash}\"" } };
        await Store(o => o.Token = "t0ken").PullAsync("tiny");
        Assert.Equal("Bearer t0ken", Assert.Single(Hub.Requests).Headers["Authorization"]);
        Assert.False(Assert.Single(storage.Requests).Headers.ContainsKey("Authorization"));
        Assert.Equal("/blob?sig=1", storage.Requests.Single().Path);
    }

    [Fact]
    public async Task A_redirect_on_the_hub_keeps_the_token()
    {
        Hub.Reply = request => request.Path.Contains("resolve", StringComparison.Ordinal)
            ? new HubReply(307, []) { Headers = { ["Location"] = "/moved/tiny.gguf" } }
            : HubReply.File(request, Model);
        await Store(o => o.Token = "t0ken").PullAsync("tiny");
        Assert.All(Hub.Requests, request => Assert.Equal("Bearer t0ken", request.Headers["Authorization"]));
        Assert.Equal(2, Hub.Requests.Count);
    }

    [Theory]
    [InlineData("/again", "without end")]
    [InlineData("file:///etc/passwd", "isn't safe")]
    public async Task A_bad_redirect_is_refused(string location, string cause)
    {
        Hub.Reply = _ => new HubReply(302, []) { Headers = { ["Location"] = location } };
        var e = await Assert.ThrowsAsync<OrchestratorException>(() => Store().PullAsync("tiny"));
        Assert.Contains(cause, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("catalogue")]
    [InlineData("hub")]
    [InlineData("first pull")]
    public async Task Another_hash_than_was_known_is_refused(string knownBy)
    {
        var other = new string('0', 64);
        switch (knownBy)
        {
            case "hub":
                Hub.Reply = request => HubReply.File(request, Model).With("X-Linked-Etag", other);
                break;
            case "first pull":
                await Store().PullAsync("tiny");
                File.Delete(Target);
                Model[^1] ^= 1;
                break;
        }

        var e = await Assert.ThrowsAsync<OrchestratorException>(() =>
            Store(o => o.CataloguePath = Catalogue(Model.Length, knownBy == "catalogue" ? other : null)).PullAsync("tiny"));
        Assert.Contains(knownBy, e.Message, StringComparison.Ordinal);
        Assert.Contains(Hash, e.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Target));
        Assert.False(File.Exists(Part));
    }

    [Fact]
    public async Task A_page_in_place_of_a_model_is_refused()
    {
        Hub.Reply = _ => new HubReply(200, "<html>Please log in to this network</html>"u8.ToArray());
        var e = await Assert.ThrowsAsync<OrchestratorException>(() => Store(o => o.CataloguePath = Catalogue(1, null, approximate: true)).PullAsync("tiny"));
        Assert.Contains("begins with '<htm'", e.Message, StringComparison.Ordinal);
        Assert.StartsWith(Target + ":", e.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Target));
        Assert.False(File.Exists(Part));
    }

    [Fact]
    public async Task A_disk_without_room_is_refused_before_the_first_byte()
    {
        var e = await Assert.ThrowsAsync<OrchestratorException>(() =>
            Store(o => o.SpareBytes = 1000, files: new SmallDisk(long.MaxValue, claimed: Model.Length + 999)).PullAsync("tiny"));
        Assert.Contains("are free in", e.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Part));
        await Store(o => o.SpareBytes = 1000, files: new SmallDisk(long.MaxValue, claimed: Model.Length + 1000)).PullAsync("tiny");
    }

    [Fact]
    public async Task A_disk_that_fills_up_keeps_what_came()
    {
        var e = await Assert.ThrowsAsync<OrchestratorException>(() => Store(files: new SmallDisk(200_000)).PullAsync("tiny"));
        Assert.Equal(ErrorKind.Model, e.Kind);
        Assert.StartsWith("The disk is full", e.Message, StringComparison.Ordinal);
        Assert.Contains("goes on where it stopped", e.Remedy, StringComparison.Ordinal);
        Assert.Equal(200_000, new FileInfo(Part).Length);

        await Store().PullAsync("tiny");
        Assert.Equal(200_000, Hub.Requests.Last().Offset);
        Assert.Equal(Model, await File.ReadAllBytesAsync(Target));
    }

    [Fact]
    public async Task Pulls_of_one_file_at_once_fetch_it_once()
    {
        var stores = Enumerable.Range(0, 5).Select(_ => Store()).ToList();
        await Task.WhenAll(stores.Select(store => Task.Run(() => store.PullAsync("tiny"))));
        Assert.Single(Hub.Requests);
        Assert.Equal(Model, await File.ReadAllBytesAsync(Target));
        Assert.Single(Store().List());
    }

    [Fact]
    public async Task A_stopped_pull_keeps_what_came()
    {
        using var stop = new CancellationTokenSource();
        Hub.Reply = request => HubReply.File(request, Model) with { DropAfter = 70_000, Hang = true };
        var progress = new Recorded { OnReport = report => { if (report.Bytes > 0) { stop.Cancel(); } } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store().PullAsync("tiny", progress, stop.Token));
        Assert.InRange(new FileInfo(Part).Length, 1, 70_000);
    }

    [Fact]
    public async Task All_parts_of_a_split_model_are_pulled()
    {
        var whole = Orchestrator.Inference.Gguf.GgufReader.Read(TinyModel.SharedPath);
        var parts = Enumerable.Range(0, 2).Select(part =>
        {
            var metadata = part == 0 ? TinyModel.Describe(new TinyModelOptions()) : [];
            metadata["split.no"] = (ushort)part;
            metadata["split.count"] = (ushort)2;
            metadata["split.tensors.count"] = whole.Tensors.Count;
            var writer = new Orchestrator.Inference.Gguf.GgufWriter(metadata);
            foreach (var tensor in whole.Tensors.Where((_, i) => i % 2 == part))
            {
                writer.Add(tensor.Name, tensor.Dimensions, tensor.Type, stream => stream.Write(new byte[tensor.Bytes]));
            }

            var stream = new MemoryStream();
            writer.Write(stream);
            return stream.ToArray();
        }).ToList();
        Hub.Reply = request => HubReply.File(request, parts[request.Path.EndsWith("-00001-of-00002.gguf", StringComparison.Ordinal) ? 0 : 1]);

        var record = await Store().PullAsync("acme/big/big-00001-of-00002.gguf");
        Assert.Equal(2, record.Files.Count);
        Assert.Equal(parts.Sum(part => part.Length), record.Bytes);
        Assert.EndsWith("big-00001-of-00002.gguf", record.Path, StringComparison.Ordinal);
        await Store().VerifyAsync(record.Name);
    }

    private void Cut(int bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Part)!);
        File.WriteAllBytes(Part, Model[..bytes]);
    }

    private sealed class Recorded : IProgress<PullProgress>
    {
        public List<PullProgress> Reports { get; } = [];

        public Action<PullProgress>? OnReport { get; init; }

        public void Report(PullProgress value)
        {
            Reports.Add(value);
            OnReport?.Invoke(value);
        }
    }
}
