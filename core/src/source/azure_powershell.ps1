$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
try {
    $module = Import-Module Az.Accounts -MinimumVersion '2.2.0' -PassThru -ErrorAction SilentlyContinue
    if (! $module) {
        if (Get-Module Az.Accounts -ListAvailable -ErrorAction SilentlyContinue) {
            Write-Output 'AZ_ACCOUNTS_MODULE_TOO_OLD'
        }
        else {
            Write-Output 'NO_AZ_ACCOUNT_MODULE'
        }
        exit
    }
    $arguments = @{ 'ResourceUrl' = $env:AZURE_IDENTITY_POWERSHELL_RESOURCE; 'WarningAction' = 'Ignore' }
    if ($env:AZURE_IDENTITY_POWERSHELL_TENANT_ID) {
        $arguments['TenantId'] = $env:AZURE_IDENTITY_POWERSHELL_TENANT_ID
    }
    if ($module.Version -ge [version]'2.17.0' -and $module.Version -lt [version]'5.0.0') {
        $arguments['AsSecureString'] = $true
    }
    $token = Get-AzAccessToken @arguments
    $text = $token.Token
    if ($text -is [System.Security.SecureString]) {
        $text = [System.Net.NetworkCredential]::new('', $text).Password
    }
    Write-Output "`nazsdk%$($text)%$($token.ExpiresOn.ToUnixTimeSeconds())`n"
}
catch {
    [Console]::Error.WriteLine($_.Exception.Message)
    exit 1
}
