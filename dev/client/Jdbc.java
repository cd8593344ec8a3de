import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.util.Map;
import java.util.Properties;

public class Jdbc
{
	public static void main(String[] arguments) throws Exception
	{
		Map<String, String> env = System.getenv();
		Properties options = new Properties();

		/* where it would look for a certificate if it is told of none */
		System.setProperty("user.home", "/nonexistent");
		options.setProperty("user", env.get("PGUSER"));
		options.setProperty("password", env.get("PGPASSWORD"));
		options.setProperty("sslmode", "verify-full");
		options.setProperty("sslrootcert", env.get("PGSSLROOTCERT"));
		options.setProperty("gssEncMode", "disable");
		options.setProperty("loginTimeout", "20");
		if (Files.exists(Path.of(env.get("PGSSLCERT"))))
		{
			options.setProperty("sslcert", env.get("PGSSLCERT"));
			options.setProperty("sslkey", env.get("PGSSLKEY_DER"));
		}
		String url = "jdbc:postgresql://" + env.get("PGHOST") + ":" + env.get("PGPORT") + "/" + env.get("PGDATABASE");
		try (Connection connection = DriverManager.getConnection(url, options);
			ResultSet rows = connection.createStatement().executeQuery("SELECT 1"))
		{
			if (!rows.next() || rows.getInt(1) != 1)
				throw new Exception("no row");
			System.out.println("in " + connection.getMetaData().getDriverVersion());
		}
		catch (Exception e)
		{
			for (Throwable cause = e; cause != null; cause = cause.getCause())
				System.err.println(cause);
			System.exit(1);
		}
	}
}
