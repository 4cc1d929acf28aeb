using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

// A small MCP server over standard input and output.
Console.Error.WriteLine("the server starts");
var tools = new McpServerPrimitiveCollection<McpServerTool>
{
    McpServerTool.Create((int a, int b) => $"{a + b}", new McpServerToolCreateOptions { Name = "add", Description = "Adds two numbers." }),
    McpServerTool.Create(
        (string name) => Environment.GetEnvironmentVariable(name) ?? "unset",
        new McpServerToolCreateOptions { Name = "env", Description = "Tells an environment variable." }),
    McpServerTool.Create(
        () => Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture),
        new McpServerToolCreateOptions { Name = "pid", Description = "Tells the server's process." }),
    McpServerTool.Create(
        string () => throw new InvalidOperationException("no"),
        new McpServerToolCreateOptions { Name = "fail", Description = "Fails." }),
};
await using var server = McpServer.Create(
    new StdioServerTransport("sample"),
    new McpServerOptions
    {
        ServerInfo = new Implementation { Name = "sample", Version = "1.0" },
        ToolCollection = tools,
    });
await server.RunAsync();
