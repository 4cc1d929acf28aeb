using System.ComponentModel;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;
using Microsoft.SemanticKernel;
using Orchestrator.Agents.Tools;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Text;

namespace Orchestrator.Agents.Tests;

/// <summary>One agent over a scripted model, with a plugin whose functions misbehave in every way.</summary>
internal sealed class TestTeam
{
    public RecordingJournal Journal { get; } = new();

    public FakeTimeProvider Time { get; } = new();

    public Dictionary<string, ToolPolicy> Policies { get; } = [];

    public TestApprover Approver { get; } = new();

    public ToolsPlugin Plugin { get; } = new();

    public SecretRedactor Redactor { get; init; } = SecretRedactor.None;

    public Agent Agent(IChatClient client, AgentSettings? settings = null, params string[] tools)
    {
        var kernel = Kernel();
        return new Agent(
            new AgentCard("ada", "analyst", "Reads.", [], tools.Length == 0 ? ["kit-look", "kit-count"] : tools),
            client,
            kernel,
            settings);
    }

    public Kernel Kernel()
    {
        var kernel = new Kernel();
        kernel.Plugins.Add(KernelPluginFactory.CreateFromObject(Plugin, "kit"));
        var policies = (string tool) => Policies.GetValueOrDefault(tool) ?? new ToolPolicy { SideEffects = SideEffects.None };
        kernel.FunctionInvocationFilters.Add(new ToolJournalFilter("ada", Journal, Time, Redactor, 200));
        kernel.FunctionInvocationFilters.Add(new ApprovalFilter("ada", policies, new Approvals(Approver), Journal, Redactor));
        kernel.FunctionInvocationFilters.Add(new DeadlineFilter(policies, Time));
        return kernel;
    }

    internal sealed class TestApprover : IApprover
    {
        public Queue<ApprovalAnswer> Answers { get; } = new();

        public List<ApprovalRequest> Asked { get; } = [];

        public ValueTask<ApprovalAnswer> AskAsync(ApprovalRequest request, CancellationToken cancellationToken = default)
        {
            Asked.Add(request);
            return ValueTask.FromResult(Answers.TryDequeue(out var answer) ? answer : ApprovalAnswer.Nobody);
        }
    }

    internal sealed class ToolsPlugin
    {
        private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Started => _started.Task;

        public CancellationToken HangToken { get; private set; }

        public int Calls { get; private set; }

        [KernelFunction("look"), Description("Looks into a file.")]
        public string Look(string file)
        {
            Calls++;
            return $"{file} says hello";
        }

        [KernelFunction("count"), Description("Counts lines.")]
        public int Count() => 42;

        [KernelFunction("fail"), Description("Fails.")]
        public string Fail() => throw new InvalidDataException("the disk is wet");

        [KernelFunction("hang"), Description("Never returns, but listens.")]
        public async Task<string> HangAsync(CancellationToken cancellationToken)
        {
            HangToken = cancellationToken;
            _started.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            return "";
        }

        [KernelFunction("block"), Description("Never returns, and blocks its thread.")]
        public string Block()
        {
            _started.TrySetResult();
            using var never = new ManualResetEventSlim();
            never.Wait();
            return "";
        }

        [KernelFunction("nest"), Description("Calls another function.")]
        public async Task<string> NestAsync(Kernel kernel) =>
            "nested " + await kernel.InvokeAsync<string>("kit", "look", new KernelArguments { ["file"] = "inner" });

        [KernelFunction("long"), Description("Gives a long text.")]
        public string Long() => new('x', 1000);
    }
}
