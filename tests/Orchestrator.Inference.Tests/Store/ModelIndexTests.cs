using Microsoft.Extensions.Time.Testing;
using Orchestrator.Inference.Store;

namespace Orchestrator.Inference.Tests.Store;

/// <summary>The list is read once for each change of its file, whoever changes it.</summary>
public sealed class ModelIndexTests : IDisposable
{
    private static readonly DateTime Changed = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(Changed + TimeSpan.FromMinutes(1));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_unchanged_file_is_not_read_again_and_a_changed_one_is()
    {
        var index = Index();
        Assert.Empty(index.Read());
        Write("one", Changed);
        Assert.Equal("one", Assert.Single(index.Read()).Name);

        // Nothing tells this file from the one before.
        Write("two", Changed);
        Assert.Equal("one", Assert.Single(index.Read()).Name);

        Write("two", Changed + TimeSpan.FromSeconds(1));
        Assert.Equal("two", Assert.Single(index.Read()).Name);
        Write("three", Changed + TimeSpan.FromSeconds(1));
        Assert.Equal("three", Assert.Single(index.Read()).Name);
        File.Delete(_folder.File("index.json"));
        Assert.Empty(index.Read());
    }

    [Fact]
    public void What_was_changed_just_now_is_read_again()
    {
        var index = Index();
        Write("one", _time.GetUtcNow().UtcDateTime);
        Assert.Equal("one", Assert.Single(index.Read()).Name);
        Write("two", _time.GetUtcNow().UtcDateTime);
        Assert.Equal("two", Assert.Single(index.Read()).Name);
    }

    [Fact]
    public async Task What_another_process_adds_is_seen_and_kept_by_a_change_here()
    {
        var (here, other) = (Index(), Index());
        Write("one", Changed);
        Assert.Single(here.Read());
        await other.ChangeAsync(records => [.. records, Record("two")], CancellationToken.None);
        Assert.Equal(["one", "two"], here.Read().Select(r => r.Name));
        await here.ChangeAsync(records => [.. records, Record("three")], CancellationToken.None);

        Assert.Equal(["one", "three", "two"], other.Read().Select(r => r.Name));
    }

    private ModelIndex Index() => new(_folder.Path, _time);

    private ModelRecord Record(string name) => new(name, _folder.File(name), [new StoredFile(_folder.File(name), 1, "00")], null, _time.GetUtcNow());

    private void Write(string name, DateTime changed)
    {
        var path = _folder.File("index.json");
        File.WriteAllText(path, $$"""[{"name":"{{name}}","files":[{"path":"m.gguf","bytes":1,"sha256":"00"}],"added":"2026-01-01T00:00:00Z"}]""");
        File.SetLastWriteTimeUtc(path, changed);
    }
}
