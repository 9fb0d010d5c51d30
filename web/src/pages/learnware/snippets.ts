/** Code that runs as it stands, with the address of this dock and the id of this learnware. */
export function snippetsFor(id: string, origin: string): Record<string, string> {
  return {
    Python: `from beimingwu import Client

with Client("${origin}") as dock:
    model = dock.get("${id}").load()

predictions = model.predict(X)  # X: an array with a row per record
`,
    CLI: `beimingwu predict data.csv --learnware ${id} --dock ${origin}
`,
    curl: `curl -o ${id}.zip ${origin}/v1/learnwares/${id}/archive
`,
  }
}
