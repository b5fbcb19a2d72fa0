// The bodies are left out: nobody links this package.
