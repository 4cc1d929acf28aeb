using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Orchestrator.Inference.Native;

/// <summary>
/// Takes the native library's messages, which would go to standard error, to a logger. The callback is static and
/// never throws, since an exception that crosses native frames ends the process.
/// </summary>
internal static unsafe partial class NativeLog
{
    private const int Continue = 5;

    private static readonly Lock Gate = new();
    private static readonly StringBuilder Line = new();
    private static int _level;
    private static ILogger _logger = NullLogger.Instance;

    [ThreadStatic]
    private static List<string>? _errors;

    /// <summary>Where messages go. The library has one log for the process, so the last logger set gets all.</summary>
    public static ILogger Logger
    {
        set => Volatile.Write(ref _logger, value);
    }

    /// <summary>The function to hand to <c>llama_log_set</c>.</summary>
    public static delegate* unmanaged[Cdecl]<int, byte*, void*, void> Callback => &OnMessage;

    /// <summary>Starts to collect this thread's errors, to name the cause when a call fails.</summary>
    public static void CollectErrors() => _errors = [];

    /// <summary>What was collected: the library's own words, shortened.</summary>
    public static string TakeErrors()
    {
        var errors = _errors ?? [];
        _errors = null;
        return errors.Count == 0 ? "the library gave no reason" : string.Join("; ", errors.Distinct().Take(3));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnMessage(int level, byte* text, void* userData)
    {
        try
        {
            var message = Marshal.PtrToStringUTF8((nint)text) ?? "";
            lock (Gate)
            {
                if (level != Continue)
                {
                    Flush();
                    _level = level;
                }

                Line.Append(message);
                if (message.EndsWith('\n'))
                {
                    Flush();
                }
            }
        }
        catch (Exception)
        {
            // Nothing may leave this function; a message is lost.
        }
    }

    private static void Flush()
    {
        var message = Line.ToString().Trim();
        Line.Clear();

        // Progress dots and blank lines say nothing.
        if (message.Trim('.').Length == 0)
        {
            return;
        }

        if (_level == 4)
        {
            _errors?.Add(message);
        }

        Write(Volatile.Read(ref _logger), message);
    }

    // One level lower than the library's own: it calls each detail of a model "info", and ordinary choices (a context
    // shorter than the one trained for) "warning". What fails is also thrown as an exception.
    private static void Write(ILogger logger, string message)
    {
        switch (_level)
        {
            case 4:
                LogFailure(logger, message);
                break;
            case 3:
                LogNotice(logger, message);
                break;
            case 2:
                LogDetail(logger, message);
                break;
            default:
                LogTrace(logger, message);
                break;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "llama.cpp: {Text}")]
    private static partial void LogFailure(ILogger logger, string text);

    [LoggerMessage(Level = LogLevel.Information, Message = "llama.cpp: {Text}")]
    private static partial void LogNotice(ILogger logger, string text);

    [LoggerMessage(Level = LogLevel.Debug, Message = "llama.cpp: {Text}")]
    private static partial void LogDetail(ILogger logger, string text);

    [LoggerMessage(Level = LogLevel.Trace, Message = "llama.cpp: {Text}")]
    private static partial void LogTrace(ILogger logger, string text);
}
