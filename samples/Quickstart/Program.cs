using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Hosting;

var services = new ServiceCollection();
services.AddOrchestratorInference(options => options.Model = "model.gguf");
await using var provider = services.BuildServiceProvider();

var client = provider.GetRequiredService<IChatClient>();       // Microsoft.Extensions.AI; Semantic Kernel finds it too
Console.WriteLine(await client.GetResponseAsync("Name a colour."));

var choice = await client.GetChoiceScorer().ScoreAsync(new ChoiceQuestion
{
    Evidence = "My card was charged twice.",
    Options =
    [
        new("billing", "Charges, invoices and refunds."),
        new("technical", "Errors, crashes and setup."),
        new("sales", "Prices, offers and orders."),
    ],
});
Console.WriteLine($"{choice.Best.Choice.Name} ({choice.Best.Probability:P0})");
