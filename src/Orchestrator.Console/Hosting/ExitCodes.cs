using Orchestrator.Core;

namespace Orchestrator.Console.Hosting;

/// <summary>What the process returns; see docs/exit-codes.md.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;
    public const int Usage = 1;
    public const int Configuration = 2;
    public const int Model = 3;
    public const int Run = 4;
    public const int Internal = 70;
    public const int Interrupted = 130;

    public static int Of(Exception exception) => exception switch
    {
        OrchestratorException { Kind: ErrorKind.Usage } => Usage,
        OrchestratorException { Kind: ErrorKind.Configuration } => Configuration,
        OrchestratorException { Kind: ErrorKind.Model } => Model,
        OrchestratorException { Kind: ErrorKind.Run } => Run,
        OperationCanceledException => Interrupted,
        _ => Internal,
    };
}
