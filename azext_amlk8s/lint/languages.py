"""In which files rules over templates and commands report, as the documents name them."""

ARM, BICEP, TERRAFORM = "ARM", "Bicep", "Terraform"
OF_AZURERM = "Terraform (azurerm)"
VERIFIED_MODULES = "Bicep (verified modules)"
COMMAND_LINES = "command lines"

TEMPLATES = (ARM, BICEP, TERRAFORM)
EVERYWHERE = (*TEMPLATES, COMMAND_LINES)
