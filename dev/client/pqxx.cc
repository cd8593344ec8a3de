#include <iostream>

#include <pqxx/pqxx>

int
main()
{
	try
	{
		pqxx::connection connection("");
		pqxx::work work(connection);

		if (work.exec("SELECT 1")[0][0].as<int>() != 1)
			throw std::runtime_error("no row");
		std::cout << "in " << PQXX_VERSION << std::endl;
	}
	catch (const std::exception &e)
	{
		std::cerr << e.what() << std::endl;
		return 1;
	}
	return 0;
}
