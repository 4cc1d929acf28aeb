using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orchestrator.Inference.Store;
using Orchestrator.Testing.Models;

namespace Orchestrator.Inference.Tests.Store;

/// <summary>A store in a folder of its own, a hub that serves one tiny model, and a catalogue that names it.</summary>
public abstract class ModelStoreFixture : IAsyncLifetime
{
    protected const string HubFile = "acme/tiny-GGUF/tiny.Q8_0.gguf";

    private readonly List<ServiceProvider> _providers = [];

    protected TemporaryFolder Folder { get; } = new();

    protected byte[] Model { get; } = File.ReadAllBytes(TinyModel.SharedPath);

    protected HubServer Hub { get; private set; } = null!;

    protected string Target => Path.Combine(Folder.Path, "store", "acme", "tiny-GGUF", "tiny.Q8_0.gguf");

    protected string Part => Target + ".part";

    public Task InitializeAsync()
    {
        Hub = new HubServer(request => HubReply.File(request, Model));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        foreach (var provider in _providers)
        {
            await provider.DisposeAsync();
        }

        await Hub.DisposeAsync();
        Folder.Dispose();
    }

    internal ModelStore Store(Action<ModelStoreOptions>? change = null, IStoreFiles? files = null)
    {
        var services = new ServiceCollection().AddLogging().AddModelStore();
        services.Configure<ModelStoreOptions>(options =>
        {
            options.Root = Folder.File("store");
            options.CataloguePath = Catalogue(Model.Length, null);
            options.Endpoint = Hub.Address;
            options.Token = null;
            options.Retries = 2;
            options.RetryDelay = TimeSpan.FromMilliseconds(1);
            change?.Invoke(options);
        });
        if (files is not null)
        {
            services.Replace(ServiceDescriptor.Singleton(files));
        }

        var provider = services.BuildServiceProvider();
        _providers.Add(provider);
        return provider.GetRequiredService<ModelStore>();
    }

    protected string Catalogue(long bytes, string? sha256, bool approximate = false)
    {
        var path = Folder.File($"{Guid.NewGuid():N}.json");
        File.WriteAllText(path, $$"""
            {"version": 1, "models": [{"name": "tiny", "title": "Tiny", "repo": "acme/tiny-GGUF", "file": "tiny.Q8_0.gguf", "bytes": {{bytes}},
              "bytesApproximate": {{(approximate ? "true" : "false")}}, "sha256": {{(sha256 is null ? "null" : $"\"{sha256}\"")}}, "licence": "mit", "context": 2048, "default": true}]}
            """);
        return path;
    }

    /// <summary>A disk with a given room; writing beyond it fails as a full disk does.</summary>
    internal sealed class SmallDisk(long room, long claimed = long.MaxValue) : IStoreFiles
    {
        public long FreeBytes(string folder) => claimed;

        public Stream OpenAt(string path, long offset) => new FullStream(new DiskFiles().OpenAt(path, offset), room);

        private sealed class FullStream(Stream inner, long room) : Stream
        {
            public override bool CanRead => false;

            public override bool CanSeek => false;

            public override bool CanWrite => true;

            public override long Length => inner.Length;

            public override long Position { get => inner.Position; set => inner.Position = value; }

            public override void Flush() => inner.Flush();

            public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

            public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

            public override void SetLength(long value) => inner.SetLength(value);

            public override void Write(byte[] buffer, int offset, int count)
            {
                var fits = (int)Math.Clamp(room - inner.Position, 0, count);
                inner.Write(buffer, offset, fits);
                if (fits < count)
                {
                    throw new IOException("No space left on device", OperatingSystem.IsWindows() ? unchecked((int)0x80070070) : 28);
                }
            }

            protected override void Dispose(bool disposing)
            {
                inner.Dispose();
                base.Dispose(disposing);
            }
        }
    }
}
