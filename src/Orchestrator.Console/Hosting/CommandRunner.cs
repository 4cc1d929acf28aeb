using System.CommandLine;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orchestrator.Console.Commands;
using Orchestrator.Console.Terminal;
using Orchestrator.Core;

namespace Orchestrator.Console.Hosting;

/// <summary>Builds the host for a command, runs the command, and turns what went wrong into a message and an exit code.</summary>
internal static class CommandRunner
{
    private const string SettingsRemedy = "Run `orchestrator config show` to see where each setting comes from.";

    public static async Task<int> RunAsync(
        ConsoleCommand command, ParseResult parse, CancellationToken cancellationToken)
    {
        var interaction = ConsoleHost.CreateInteraction(parse);
        try
        {
            using var host = ConsoleHost.Build(command, parse, interaction);
            await host.StartAsync(cancellationToken);
            try
            {
                return await command.ExecuteAsync(parse, host.Services, cancellationToken);
            }
            finally
            {
                await host.StopAsync(CancellationToken.None);
            }
        }
        catch (OrchestratorException e)
        {
            interaction.Error(e.Message, e.Remedy);
            return ExitCodes.Of(e);
        }
        catch (OptionsValidationException e)
        {
            interaction.Error(string.Join(' ', e.Failures.Select(failure => SettingList.Explain(e.OptionsType, failure))), SettingsRemedy);
            return ExitCodes.Configuration;
        }
        catch (InvalidOperationException e) when (e.Source == typeof(ConfigurationBinder).Assembly.GetName().Name)
        {
            // A value of another type: the message names the setting and the value.
            interaction.Error(e.Message, SettingsRemedy);
            return ExitCodes.Configuration;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            interaction.Error("Interrupted.");
            return ExitCodes.Interrupted;
        }
        catch (Exception e)
        {
            interaction.Error(
                $"This is a bug in Orchestrator: {e.GetType().Name}: {e.Message}",
                "Run it again with --verbose and report what it prints.");
            if (parse.GetValue(GlobalOptions.Verbose))
            {
                await System.Console.Error.WriteLineAsync(e.ToString());
            }

            return ExitCodes.Internal;
        }
    }
}
