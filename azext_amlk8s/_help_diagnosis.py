"""The help of az amlk8s check and az amlk8s explain."""

from knack.help_files import helps

helps["amlk8s explain"] = """
type: command
short-summary: Explain an error code or message of the extension, a compute, a job or a pod.
long-summary: >
    Works offline, on messages from anywhere: a log, a ticket, Terraform, the portal. The cause comes before the errors
    that wrap it. Of a text that is not known it keeps what could be read.
examples:
  - name: Explain a code of the health check.
    text: az amlk8s explain E40001
  - name: Tell the two meanings of a code apart.
    text: az amlk8s explain E45004 --scope job
  - name: Explain a message.
    text: >
        az amlk8s explain "failed pre-install: pod healthcheck failed"
  - name: Explain what a command has printed.
    text: az amlk8s explain -
  - name: List all that is known as a table.
    text: az amlk8s explain --list -o table
"""
