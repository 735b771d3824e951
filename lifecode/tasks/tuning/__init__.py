"""`tuning=head`, `lora` and `full`: an encoder and a head learn by gradient, from any kill on."""
