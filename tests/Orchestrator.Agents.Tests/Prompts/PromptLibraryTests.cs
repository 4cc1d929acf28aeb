using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Agents.Definitions;
using Orchestrator.Agents.Prompts;
using Orchestrator.Agents.Tests.Definitions;
using Orchestrator.Core;

namespace Orchestrator.Agents.Tests.Prompts;

public sealed class PromptLibraryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_edit_is_taken_up_once_it_has_settled()
    {
        using var library = Library();
        _folder.Write("a.yaml", "template: one");
        Assert.Equal("one", library.Get("a").Template);

        _folder.Write("a.yaml", "template: two");
        library.Touch();
        _time.Advance(TimeSpan.FromMilliseconds(150));
        library.Touch();
        _time.Advance(TimeSpan.FromMilliseconds(150));
        Assert.Equal("one", library.Get("a").Template);
        _time.Advance(TimeSpan.FromMilliseconds(100));

        Assert.Equal("two", library.Get("a").Template);
    }

    [Fact]
    public async Task A_watched_folder_reports_the_edit_itself()
    {
        _folder.Write("a.yaml", "template: one");
        using var library = new PromptLibrary([_folder.Path]);
        var changed = new TaskCompletionSource<IReadOnlyList<string>>(TaskCreationOptions.RunContinuationsAsynchronously);
        library.Changed += (_, e) => changed.TrySetResult(e.Names);
        library.Watch();

        _folder.Write("a.yaml", "template: two");

        Assert.Equal(["a"], await changed.Task.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal("two", library.Get("a").Template);
    }

    [Fact]
    public void A_broken_edit_keeps_the_last_good_version_and_is_reported()
    {
        using var library = Library();
        _folder.Write("a.yaml", "template: one");
        var before = library.Get("a");

        _folder.Write("a.yaml", "template: {{$x}}\nfoo: bar");
        library.Refresh();

        Assert.Same(before, library.Get("a"));
        Assert.NotEmpty(library.Errors);

        _folder.Write("a.yaml", "template: three");
        library.Refresh();
        Assert.Equal("three", library.Get("a").Template);
        Assert.Empty(library.Errors);
    }

    [Fact]
    public void A_prompt_that_never_was_good_gives_its_error_when_it_is_asked_for()
    {
        _folder.Write("a.yaml", "template: x {{$y}}");
        using var library = Library();

        Assert.Empty(library.All);
        var error = Assert.Throws<DefinitionException>(() => library.Get("a"));
        Assert.Contains("a.yaml:1:16: template: the template uses 'y'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_prompt_names_the_near_one()
    {
        _folder.Write("planner.yaml", "template: x");
        using var library = Library();

        var error = Assert.Throws<OrchestratorException>(() => library.Get("planer"));
        Assert.Contains("did you mean 'planner'?", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_earlier_folder_wins_and_unchanged_files_are_not_read_again()
    {
        using var second = new TemporaryFolder();
        _folder.Write("a.yaml", "template: mine");
        second.Write("a.yaml", "template: shipped");
        second.Write("b.yaml", "template: other");
        using var library = new PromptLibrary([_folder.Path, second.Path], _time, NullLogger<PromptLibrary>.Instance);

        Assert.Equal(["mine", "other"], library.All.Select(p => p.Template));
        var before = library.Get("b");
        IReadOnlyList<string> changed = [];
        library.Changed += (_, e) => changed = e.Names;
        File.Delete(Path.Combine(_folder.Path, "a.yaml"));
        library.Refresh();
        Assert.Equal(["a"], changed);
        Assert.Same(before, library.Get("b"));
        Assert.Equal("shipped", library.Get("a").Template);
    }

    [Fact]
    public void The_shipped_prompts_are_good_and_the_schema_for_editors_is_up_to_date()
    {
        using var library = new PromptLibrary([RepositoryRoot.Combine("prompts")]);

        Assert.Empty(library.Errors);
        Assert.NotEmpty(library.All);
        SchemaFile.AssertIs(PromptLibrary.JsonSchema, "prompts", "prompt.schema.json");
    }

    private PromptLibrary Library() => new([_folder.Path], _time, NullLogger<PromptLibrary>.Instance);
}
