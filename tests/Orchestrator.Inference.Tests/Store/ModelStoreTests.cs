using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orchestrator.Core;
using Orchestrator.Inference.Deciding;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Store;
using Orchestrator.Testing.Models;

namespace Orchestrator.Inference.Tests.Store;

public sealed partial class ModelStoreTests : ModelStoreFixture
{
    [Fact]
    public async Task A_model_is_added_by_path_and_stays_where_it_is()
    {
        var path = TinyModel.Create(Folder.File("mine.gguf"));
        var record = await Store().AddAsync(path);
        Assert.Equal(("mine", path), (record.Name, record.Path));
        Assert.Equal(path, Store().Resolve("Mine"));

        await Store().RemoveAsync("mine");
        Assert.True(File.Exists(path));
        Assert.Empty(Store().List());
    }

    [Fact]
    public async Task A_copied_model_belongs_to_the_store()
    {
        var path = TinyModel.Create(Folder.File("mine.gguf"));
        var record = await Store().AddAsync(path, "other", copy: true);
        Assert.StartsWith(Store().Root, record.Path, StringComparison.Ordinal);
        File.Delete(path);
        await Store().VerifyAsync("other");
        var profile = DecisionProfileFile.Write(GgufReader.ReadModel(record.Path), new DecisionProfile(null, null));
        await Store().RemoveAsync("other");
        Assert.False(File.Exists(record.Path));
        Assert.False(File.Exists(profile));
    }

    [Fact]
    public async Task A_file_under_two_names_is_kept_until_both_are_gone()
    {
        var pulled = await Store().PullAsync("tiny");
        await Store().AddAsync(pulled.Path, "alias");
        await Store().RemoveAsync("tiny");
        Assert.True(File.Exists(pulled.Path));
        await Store().RemoveAsync("alias");
        Assert.False(File.Exists(pulled.Path));
    }

    [Fact]
    public async Task A_name_that_is_taken_or_impossible_is_refused()
    {
        await Store().AddAsync(TinyModel.Create(Folder.File("mine.gguf")));
        var other = TinyModel.Create(Folder.File("other.gguf"));
        Assert.Contains("taken", (await Assert.ThrowsAsync<OrchestratorException>(() => Store().AddAsync(other, "mine"))).Message, StringComparison.Ordinal);
        Assert.Contains("no name", (await Assert.ThrowsAsync<OrchestratorException>(() => Store().AddAsync(other, "../x"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_no_model_is_not_added()
    {
        var path = Folder.File("notes.gguf");
        await File.WriteAllTextAsync(path, "some notes that were renamed");
        var e = await Assert.ThrowsAsync<OrchestratorException>(() => Store().AddAsync(path));
        Assert.Equal(ErrorKind.Model, e.Kind);
        Assert.Empty(Store().List());
    }

    [Fact]
    public async Task A_changed_file_does_not_pass()
    {
        var record = await Store().PullAsync("tiny");
        await Store().VerifyAsync("tiny");
        var bytes = await File.ReadAllBytesAsync(record.Path);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(record.Path, bytes);
        var e = await Assert.ThrowsAsync<OrchestratorException>(() => Store().VerifyAsync("tiny"));
        Assert.Contains("has changed", e.Message, StringComparison.Ordinal);
        Assert.Contains(record.Files[0].Sha256, e.Message, StringComparison.Ordinal);

        File.Delete(record.Path);
        Assert.Contains("model pull", (await Assert.ThrowsAsync<ModelMissingException>(() => Store().VerifyAsync("tiny"))).Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_moved_store_still_knows_its_models()
    {
        await Store().PullAsync("tiny");
        Directory.Move(Folder.File("store"), Folder.File("moved"));
        var store = Store(o => o.Root = Folder.File("moved"));
        Assert.StartsWith(Folder.File("moved"), store.Resolve("tiny"), StringComparison.Ordinal);
        await store.VerifyAsync("tiny");
    }

    [Fact]
    public async Task Changes_at_once_are_all_kept()
    {
        var path = TinyModel.Create(Folder.File("mine.gguf"));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => Store().AddAsync(path, $"m{i}"))));
        Assert.Equal(8, Store().List().Count);
    }

    [Fact]
    public void Nothing_named_and_nothing_here_proposes_a_model()
    {
        var e = Assert.Throws<ModelMissingException>(() => Store().Resolve(null));
        Assert.Equal("tiny", e.Proposed?.Name);
        Assert.Contains("orchestrator model pull tiny", e.Remedy, StringComparison.Ordinal);
        Assert.Contains("559 KiB", e.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_named_takes_the_only_model_or_the_proposed_one()
    {
        var path = TinyModel.Create(Folder.File("mine.gguf"));
        await Store().AddAsync(path);
        Assert.Equal(path, Store().Resolve(""));
        await Store().AddAsync(path, "second");
        Assert.Contains("mine, second", Assert.Throws<ModelMissingException>(() => Store().Resolve(null)).Remedy, StringComparison.Ordinal);
        await Store().PullAsync("tiny");
        Assert.Equal(Target, Store().Resolve(null));
    }

    [Theory]
    [InlineData("tiny", "not on this machine", "model pull tiny", "tiny")]
    [InlineData("tinny", "no model 'tinny'", "tiny", null)]
    [InlineData("/nowhere/x.gguf", "no such file", "tiny", null)]
    [InlineData("/", "a folder, not a model", "tiny", null)]
    public void A_missing_model_says_what_there_is(string name, string cause, string remedy, string? proposed)
    {
        var e = Assert.Throws<ModelMissingException>(() => Store().Resolve(name));
        Assert.Equal(ErrorKind.Model, e.Kind);
        Assert.Contains(cause, e.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, e.Remedy, StringComparison.Ordinal);
        Assert.Equal(proposed, e.Proposed?.Name);
    }

    [Fact]
    public void A_path_is_used_as_it_is() => Assert.Equal(TinyModel.SharedPath, Store().Resolve(TinyModel.SharedPath));

    [Fact]
    public async Task A_broken_list_is_named()
    {
        await Store().PullAsync("tiny");
        var index = Folder.File("store/index.json");
        await File.WriteAllTextAsync(index, "[{\"name\": ");
        var e = Assert.Throws<OrchestratorException>(() => Store().List());
        Assert.Equal(ErrorKind.Configuration, e.Kind);
        Assert.Contains("index.json", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", "line 1")]
    [InlineData("{\"version\": 2, \"models\": []}", "\"version\": 1")]
    [InlineData("{\"version\": 1, \"modles\": []}", "modles")]
    [InlineData("{\"version\": 1, \"models\": [{\"name\": \"a\", \"repo\": \"x\", \"file\": \"y\", \"bytes\": 1}]}", "owner/name")]
    public void A_broken_catalogue_is_named(string text, string cause)
    {
        var path = Folder.File("bad.json");
        File.WriteAllText(path, text);
        var e = Assert.Throws<OrchestratorException>(() => ModelCatalogue.Load(path));
        Assert.Equal(ErrorKind.Configuration, e.Kind);
        Assert.Contains(path, e.Message, StringComparison.Ordinal);
        Assert.Contains(cause, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_built_in_catalogue_is_sound()
    {
        var catalogue = ModelCatalogue.Load(null);
        Assert.Equal("smollm2-135m", catalogue.Proposed?.Name);
        Assert.Equal(10, catalogue.Entries.Count);
        Assert.Equal(catalogue.Entries.OrderBy(entry => entry.Bytes), catalogue.Entries);
        Assert.All(catalogue.Entries, entry =>
        {
            Assert.Matches(Owner(), entry.Repo);
            Assert.True(entry.Context >= 8192);
            Assert.NotEmpty(entry.Licence);
            Assert.True(entry.Sha256 is not null || entry.BytesApproximate);
        });
    }

    [Fact]
    public void Options_are_checked()
    {
        using var services = new ServiceCollection().AddLogging().AddModelStore().Configure<ModelStoreOptions>(o => o.Endpoint = new Uri("ftp://example.org")).BuildServiceProvider();
        Assert.Contains("HF_ENDPOINT", Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<ModelStore>()).Message, StringComparison.Ordinal);
    }

    [GeneratedRegex("^[^/]+/[^/]+$")]
    private static partial Regex Owner();
}
