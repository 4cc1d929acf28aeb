#!/usr/bin/env bash
# Tries what people get: the tool and a self-contained folder, from an empty folder outside the repository, and a new
# program that references the Orchestrator.Inference package. Usage: eng/try-packages.sh MODEL.gguf
set -euo pipefail
model=$(realpath "$1")
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

step() { echo; echo "== $1"; }
# Teams, prompts, plugins, sample and native library must all be found beside the program.
try() { # label, command and its arguments before orchestrator's
  mkdir "$work/$1"
  cd "$work/$1"
  shift
  "$@" doctor --model "$model"
  "$@" team validate
  "$@" plugin show logs >/dev/null
  "$@" chat "Name a colour." --max-tokens 8 --model "$model"
  "$@" run incident "Find the root cause" --plan-only --model "$model" >/dev/null
  "$@" run pair "Name a colour." --model "$model" --json | tail -n 1 | grep -q '"reason":"completed"'
  cd "$root"
}

step "pack"
dotnet pack Orchestrator.sln -c Release -o "$work/packages" -v q

step "the tool"
dotnet tool install Orchestrator.Tool --tool-path "$work/tool" --add-source "$work/packages"
try from-tool "$work/tool/orchestrator"

step "a self-contained folder, without .NET"
rid=$(dotnet --info | sed -n 's/^ *RID: *//p')
dotnet publish src/Orchestrator.Console -c Release -r "$rid" --self-contained -o "$work/published" -v q
try from-folder env -u DOTNET_ROOT PATH=/nowhere "$work/published/orchestrator"

step "a program with the package"
mkdir "$work/app"
cp samples/Quickstart/Program.cs "$work/app/Program.cs"
sed -i "s|\"model.gguf\"|\"$model\"|" "$work/app/Program.cs"
cat > "$work/app/app.csproj" <<XML
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
    <RestoreAdditionalProjectSources>$work/packages</RestoreAdditionalProjectSources>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Orchestrator.Inference" Version="*-*" />
  </ItemGroup>
</Project>
XML
# A package cache of its own: another build of the same version may lie in the person's.
NUGET_PACKAGES="$work/cache" dotnet run --project "$work/app"
echo
echo "All of it works."
