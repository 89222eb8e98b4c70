"""Gates: what must hold before a change of the rules comes into force. One file per gate, each with its evidence."""
