# Installs Isthmus from the wheels beside this script, without a network:  .\install.ps1 [FOLDER]   (default: isthmus)
param([string]$Target = "isthmus", [string]$Python = "python")
$ErrorActionPreference = "Stop"
$about = @{}
Get-Content "$PSScriptRoot\about" | ForEach-Object { $name, $value = $_ -split "=", 2; $about[$name] = $value.Trim("'") }
$found = & $Python -c "import sys; print('%d.%d' % sys.version_info[:2])"
if ($found -ne $about["python_version"]) { throw "These wheels are for Python $($about['python_version']); found $found. Choose one with -Python" }
foreach ($line in Get-Content "$PSScriptRoot\SHA256SUMS") {
    $sum, $file = $line -split "  ", 2
    if ((Get-FileHash "$PSScriptRoot\$file" -Algorithm SHA256).Hash -ne $sum) { throw "$file is damaged: copy the archive again" }
}
if (Test-Path $Target) { throw "$Target exists already; name another folder" }
& $Python -m venv $Target
if ($LASTEXITCODE -ne 0) { throw "no virtual environment could be made" }
& "$Target\Scripts\python.exe" -m pip install --quiet --disable-pip-version-check --no-index --find-links "$PSScriptRoot\wheels" -c "$PSScriptRoot\constraints.txt" "isthmus[$($about['extras'])]"
if ($LASTEXITCODE -ne 0) { throw "the wheels could not be installed" }
& "$Target\Scripts\isthmus.exe" doctor
Write-Output "Done. The command is $Target\Scripts\isthmus.exe"
