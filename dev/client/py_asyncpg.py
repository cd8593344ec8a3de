import asyncio
import os
import ssl

import asyncpg

# It reads PGSSLCERT by itself, too, and insists on the file.
env = {name: os.environ.pop(name) for name in ("PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY")}
os.environ.pop("PGSSLMODE", None)


async def main():
    context = ssl.create_default_context(cafile=env["PGSSLROOTCERT"])
    if os.path.exists(env["PGSSLCERT"]):
        context.load_cert_chain(env["PGSSLCERT"], env["PGSSLKEY"])
    connection = await asyncpg.connect(ssl=context, timeout=20)
    assert await connection.fetchval("SELECT 1") == 1
    print("in", asyncpg.__version__)
    await connection.close()


asyncio.run(main())
