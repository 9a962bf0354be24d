// A receiver in a process of its own, so that it costs both sides of a bench the same: answers 204 to everything, prints its port.
const server = Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log(port) },
  async (request) => {
    await request.arrayBuffer();
    return new Response(null, { status: 204 });
  },
);
await server.finished;
